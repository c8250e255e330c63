//! Functions that change nothing. A function that is not here may do anything.

/// With the same arguments and the same data, the same answer: a condition that calls only these can be asked beforehand.
const STEADY: &str = "abs acos age any array_agg array_length array_position array_to_string ascii asin atan atan2 avg \
    bit_and bit_count bit_length bit_or bool_and bool_or btrim cardinality cast cbrt ceil ceiling char char_length \
    character_length chr coalesce collate concat concat_ws convert cos cot count crc32 cume_dist current_database \
    current_date current_schema current_setting current_time current_timestamp current_user curdate curtime database date \
    date_add date_format date_part date_sub date_trunc datediff datetime day dayname dayofmonth dayofweek dayofyear decode \
    degrees dense_rank div elt encode every exists exp extract field find_in_set first_value floor format from_unixtime gcd \
    generate_series get_byte glob greatest group_concat hash_array_extended hex host hour if ifnull iif inet initcap instr \
    interval isfinite isnull jsonb_agg json_agg json_array json_array_elements json_array_elements_text json_array_length \
    json_build_object json_contains json_each json_extract json_extract_path json_extract_path_text json_object \
    json_object_keys json_quote json_type json_typeof json_unquote json_valid jsonb_array_elements \
    jsonb_array_elements_text jsonb_array_length jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path \
    jsonb_extract_path_text jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_query jsonb_pretty jsonb_set \
    jsonb_typeof julianday justify_days lag last_day last_value lcase lcm lead least left length like likelihood likely ln \
    localtime localtimestamp locate log log10 log2 lower lpad ltrim make_date make_interval make_timestamp max md5 mid min \
    minute mod month monthname nth_value ntile now nullif num_nonnulls num_nulls obj_description octet_length overlay \
    percent_rank percentile_cont percentile_disc period_diff pg_backend_pid pg_client_encoding pg_column_size \
    pg_get_constraintdef pg_get_expr pg_get_functiondef pg_get_indexdef pg_get_ruledef pg_get_serial_sequence \
    pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_size_pretty pg_table_is_visible pg_typeof pi position pow power \
    printf quarter quote quote_ident quote_literal quote_nullable radians rank regexp_count regexp_like regexp_match \
    regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace reverse right \
    round row row_number row_to_json rpad rtrim schema second session_user sha1 sha2 sha256 shobj_description sign sin some \
    soundex space split_part sqrt statement_timestamp std stddev stddev_pop stddev_samp str_to_date strcmp strftime \
    string_agg string_to_array strpos subdate substr substring substring_index sum tan time timediff timestamp \
    timestampadd timestampdiff timezone to_char to_date to_days to_hex to_json to_jsonb to_number to_regclass to_timestamp \
    to_tsquery to_tsvector plainto_tsquery websearch_to_tsquery total transaction_timestamp translate trim trunc truncate \
    ts_rank typeof ucase unhex unicode unix_timestamp unixepoch unlikely unnest upper user utc_date utc_timestamp uuid \
    values var_pop var_samp variance version week weekday width_bucket year yearweek xpath zeroblob col_description \
    format_type has_table_privilege has_schema_privilege has_database_privilege has_column_privilege pg_has_role \
    array_append array_prepend array_cat array_remove array_replace array_upper array_lower array_dims \
    array_positions bit_xor jsonb_insert jsonb_strip_nulls json_strip_nulls jsonb_to_recordset json_to_recordset \
    starts_with to_ascii lastval currval isempty lower_inc upper_inc daterange tsrange tstzrange int4range int8range \
    numrange st_distance st_within st_contains st_intersects st_astext st_asgeojson st_x st_y st_makepoint st_setsrid";

/// Another answer every time, or one about the server itself; still nothing changes.
const HARMLESS: &str = "random rand randomblob gen_random_uuid uuid_generate_v4 uuid_generate_v1 clock_timestamp timeofday \
    pg_sleep sleep setseed set_config sysdate last_insert_id last_insert_rowid row_count found_rows connection_id changes \
    total_changes benchmark pg_database_size pg_relation_size pg_total_relation_size pg_table_size pg_indexes_size \
    pg_tablespace_size pg_is_in_recovery pg_is_wal_replay_paused pg_current_wal_lsn pg_current_wal_insert_lsn \
    pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_wal_lsn_diff pg_walfile_name \
    pg_postmaster_start_time pg_conf_load_time pg_blocking_pids pg_lock_status pg_stat_get_activity pg_export_snapshot \
    pg_current_snapshot pg_current_xact_id txid_current txid_current_snapshot pg_snapshot_xmin pg_snapshot_xmax \
    pg_relation_filenode pg_relation_filepath pg_ls_dir pg_read_file pg_stat_file pg_listening_channels pg_get_keywords \
    pg_timezone_names pg_show_all_settings pg_available_extensions inet_server_addr inet_server_port inet_client_addr \
    sqlite_version sqlite_source_id pragma_table_info pragma_index_list pragma_foreign_key_list pragma_table_list \
    pg_try_advisory_lock pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock get_lock release_lock is_free_lock \
    table_to_xml query_to_xml xmlagg xmlelement pg_partition_tree pg_partition_root pg_get_partkeydef \
    pg_stat_statements crosstab similarity word_similarity levenshtein pg_encoding_to_char pg_tablespace_location \
    pg_settings_get_flags pg_get_function_arguments pg_get_function_result pg_get_function_identity_arguments \
    pg_function_is_visible pg_type_is_visible pg_describe_object pg_identify_object json_populate_record \
    jsonb_populate_record jsonb_populate_recordset json_populate_recordset any_value mode first last ts_headline \
    setweight json_group_array json_group_object json_arrayagg json_objectagg json_tree json_keys json_length json_set \
    json_insert json_replace json_remove json_pretty json_search aes_decrypt load_file name_const";

/// True for a function whose answer can be had beforehand.
pub fn is_steady(name: &str) -> bool {
    has(STEADY, name)
}

/// True for a function that changes nothing.
pub fn is_harmless(name: &str) -> bool {
    is_steady(name) || has(HARMLESS, name)
}

fn has(list: &str, name: &str) -> bool {
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    list.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(name))
}
