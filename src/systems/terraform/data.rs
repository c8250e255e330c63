//! Which resources hold data that no configuration can make again, and which of their attributes say where it may still
//! be.

use super::snapshot::Resource;

/// Attributes that tell what becomes of the data when the resource goes. None of them is a secret.
pub const TELLING: &[&str] = &[
    "deletion_protection",
    "deletion_protection_enabled",
    "deletion_window_in_days",
    "skip_final_snapshot",
    "final_snapshot_identifier",
    "snapshot_identifier",
    "snapshot_id",
    "backup_retention_period",
    "delete_automated_backups",
    "recovery_window_in_days",
    "soft_delete_retention_days",
    "purge_protection_enabled",
    "force_destroy",
    "prevent_destroy",
    "bucket",
    "identifier",
    "cluster_identifier",
    "deletion_policy",
    "retain_on_delete",
];

/// Types that hold data, by name or by the end of their names.
const HOLDING: &[&str] = &[
    "aws_db_instance",
    "aws_rds_cluster",
    "aws_rds_cluster_instance",
    "aws_ebs_volume",
    "aws_s3_bucket",
    "aws_s3_object",
    "aws_dynamodb_table",
    "aws_efs_file_system",
    "aws_fsx_",
    "aws_elasticache_",
    "aws_redshift_cluster",
    "aws_opensearch_domain",
    "aws_elasticsearch_domain",
    "aws_docdb_cluster",
    "aws_neptune_cluster",
    "aws_kms_key",
    "aws_secretsmanager_secret",
    "aws_sqs_queue",
    "aws_kinesis_stream",
    "aws_ecr_repository",
    "aws_cognito_user_pool",
    "aws_instance",
    "google_sql_database",
    "google_storage_bucket",
    "google_compute_disk",
    "google_bigquery_",
    "google_spanner_",
    "google_bigtable_",
    "google_firestore_",
    "google_filestore_instance",
    "google_kms_",
    "google_secret_manager_secret",
    "azurerm_storage_",
    "azurerm_managed_disk",
    "azurerm_mssql_",
    "azurerm_mysql_",
    "azurerm_postgresql_",
    "azurerm_cosmosdb_",
    "azurerm_redis_",
    "azurerm_key_vault",
    "kubernetes_persistent_volume",
    "kubernetes_namespace",
    "kubernetes_secret",
    "digitalocean_database_",
    "digitalocean_volume",
    "postgresql_database",
    "mysql_database",
    "mongodbatlas_cluster",
    "random_password",
    "tls_private_key",
];

/// True for a resource whose content is more than its settings.
pub fn holds_data(resource: &Resource) -> bool {
    is_holding(&resource.kind)
}

fn is_holding(kind: &str) -> bool {
    HOLDING.iter().any(|name| match name.strip_suffix('_') {
        Some(_) => kind.starts_with(name),
        None => kind == *name || kind.starts_with(&format!("{name}_")),
    })
}

/// Types that hold data of which nobody expects `prevent_destroy`: they come and go, or can be issued anew.
const COMING_AND_GOING: &[&str] = &[
    "aws_instance",
    "aws_s3_object",
    "kubernetes_namespace",
    "kubernetes_secret",
    "random_password",
    "tls_private_key",
];

/// True for a type whose resources terraform should refuse to destroy. Settings that stand as resources of their own
/// (`aws_s3_bucket_versioning`, `aws_kms_key_policy`) hold none.
pub fn is_protected(kind: &str) -> bool {
    let exact = HOLDING.iter().any(|name| kind == *name || (name.ends_with('_') && kind.starts_with(name)));
    is_holding(kind) && exact && !COMING_AND_GOING.contains(&kind)
}

/// Where the data of a resource may still be, as its attributes tell; empty where they tell nothing.
pub fn hints(resource: &Resource) -> String {
    let told = resource.attributes.iter().map(|(name, value)| format!("{name} = {value}"));
    told.collect::<Vec<_>>().join(", ")
}
