//! The policy of a function of Lambda as the permissions that `add-permission` takes. The service gives it as a text of
//! statements (API_AddPermission: each statement is made of one call's parameters).

use serde_json::{Map, Value};

/// One entry for each statement. One that no call can have made is kept as it is, and cannot be added again.
pub fn of(text: &str) -> Value {
    let policy: Value = serde_json::from_str(text).unwrap_or_default();
    let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
    Value::Array(statements.iter().map(one).collect())
}

fn one(statement: &Value) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Option<&Value>| {
        if let Some(value) = value.filter(|value| value.is_string()) {
            out.insert(name.to_owned(), value.clone());
        }
    };
    put("StatementId", statement.get("Sid"));
    put("Action", statement.get("Action"));
    let who = &statement["Principal"];
    put("Principal", who.get("Service").or_else(|| who.get("AWS")).or(Some(who)));
    let conditions = statement["Condition"].as_object();
    let of = |name: &str| {
        let each = conditions.into_iter().flat_map(|tests| tests.values());
        each.filter_map(Value::as_object)
            .flat_map(|test| test.iter())
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    put("SourceArn", of("aws:SourceArn"));
    put("SourceAccount", of("aws:SourceAccount"));
    put("PrincipalOrgID", of("aws:PrincipalOrgID"));
    put("EventSourceToken", of("lambda:EventSourceToken"));
    put("FunctionUrlAuthType", of("lambda:FunctionUrlAuthType"));
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_statement_is_the_call_that_made_it() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Sid":"s","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},
            "Action":"lambda:InvokeFunction","Resource":"arn:f","Condition":{"ArnLike":{"AWS:SourceArn":"arn:b"}}}]}"#;
        assert_eq!(
            super::of(text),
            json!([{"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceArn": "arn:b"}])
        );
        assert_eq!(super::of("no json"), json!([]));
    }
}
