//! AWS: a bucket, parameters and a table with names of their own, in the account that the user names. Never without that: it
//! makes and removes things there, and what it makes may cost money while it runs.

use std::ffi::OsString;

use super::look::Look;
use super::scenario::{Incident, Scenario};
use super::scene::{Given, Scene, tail};
use crate::error::{Error, ExitCode, Result};
use crate::platform::random;

pub(super) const SCENARIO: Scenario = Scenario {
    system: "aws",
    title: "a bucket, parameters and a table in the account that you named",
    needs: &["bash", "aws"],
    optional: true,
    asked: true,
    in_cluster: false,
    given: Some(|ground| ground.account.given()),
    build,
    incidents: &[
        Incident {
            why: "all objects of a bucket without versions",
            line: "aws $DRILL_FLAGS s3 rm s3://$DRILL_NAME --recursive --only-show-errors",
        },
        Incident {
            why: "one object is overwritten",
            line: "aws $DRILL_FLAGS s3 cp new.txt s3://$DRILL_NAME/notes.txt --only-show-errors",
        },
        Incident {
            why: "the tags of a bucket",
            line: "aws $DRILL_FLAGS s3api delete-bucket-tagging --bucket $DRILL_NAME",
        },
        Incident {
            why: "a parameter gets another value",
            line: "aws $DRILL_FLAGS ssm put-parameter --name /$DRILL_NAME/one --value lost --overwrite >/dev/null",
        },
        Incident {
            why: "an item of a table",
            line: r#"aws $DRILL_FLAGS dynamodb delete-item --table-name $DRILL_NAME --key '{"id":{"S":"one"}}'"#,
        },
    ],
    anew: &[Incident {
        why: "a table with its items",
        line: "aws $DRILL_FLAGS dynamodb delete-table --table-name $DRILL_NAME >/dev/null",
    }],
    look,
    clear: Some(clear),
};

/// Which account: nothing is done without one of them.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// A profile of the user's configuration.
    pub profile: Option<String>,
    /// Where it is reached: a server of one's own.
    pub endpoint: Option<String>,
}

impl Account {
    /// The user's own files and what else chooses credentials, for the scene's environment; and what its lines say in the place
    /// of `$DRILL_FLAGS` and `$DRILL_NAME`: a recorder has to see them.
    ///
    /// # Errors
    /// Where neither is named, or a name is no word.
    pub fn given(&self) -> Result<Given> {
        if self.profile.is_none() && self.endpoint.is_none() {
            return Err(Error::new(ExitCode::Usage, "a drill of aws makes and removes things in an account")
                .hint("--aws-profile NAME or --aws-endpoint URL names it"));
        }
        let mut env: Vec<(OsString, OsString)> = std::env::vars_os()
            .filter(|(name, _)| name.to_str().is_some_and(|name| name.starts_with("AWS_")))
            .collect();
        let home = std::env::var_os("HOME").unwrap_or_default();
        for (name, file) in [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")] {
            if std::env::var_os(name).is_none() {
                env.push((name.into(), std::path::Path::new(&home).join(".aws").join(file).into()));
            }
        }
        let mut flags = Vec::new();
        for (flag, value) in [("--profile", &self.profile), ("--endpoint-url", &self.endpoint)] {
            let Some(value) = value else { continue };
            if value.is_empty() || !value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/@[]".contains(c))
            {
                return Err(Error::new(
                    ExitCode::Usage,
                    format!("{value:?} cannot be used in a drill's lines"),
                ));
            }
            flags.push(format!("{flag} {value}"));
        }
        let mut random = [0; 8];
        random::fill(&mut random);
        let name = random.iter().fold("fr-drill-".to_owned(), |name, byte| format!("{name}{byte:02x}"));
        let words = vec![("DRILL_FLAGS", flags.join(" ")), ("DRILL_NAME", name)];
        env.extend(words.iter().map(|(name, value)| ((*name).into(), value.into())));
        Ok(Given { env, words, absent: None })
    }
}

const BUILD: &str = r#"
echo new > new.txt
a() { aws $DRILL_FLAGS "$@" >/dev/null; }
a s3 mb "s3://$DRILL_NAME"
a s3api put-bucket-tagging --bucket "$DRILL_NAME" --tagging 'TagSet=[{Key=fr,Value=drill}]'
mkdir up
for i in 1 2 3 4 5; do echo "object $i" > "up/$i.txt"; done
echo notes > up/notes.txt
printf 'sp ace' > 'up/a b.txt'
a s3 cp up "s3://$DRILL_NAME" --recursive --metadata m=v --cache-control max-age=60
for n in one two; do a ssm put-parameter --name "/$DRILL_NAME/$n" --type String --value "value-$n"; done
a dynamodb create-table --table-name "$DRILL_NAME" --billing-mode PAY_PER_REQUEST \
  --key-schema AttributeName=id,KeyType=HASH --attribute-definitions AttributeName=id,AttributeType=S
a dynamodb wait table-exists --table-name "$DRILL_NAME"
for n in one two three; do a dynamodb put-item --table-name "$DRILL_NAME" --item "{\"id\":{\"S\":\"$n\"},\"v\":{\"N\":\"1\"}}"; done
"#;

fn build(scene: &Scene) -> Result<()> {
    scene.script(BUILD)
}

/// What the account itself says.
fn look(scene: &Scene) -> Result<Look> {
    scene.look(&[
        "mkdir -p got && rm -rf got/* && aws $DRILL_FLAGS s3 cp s3://$DRILL_NAME got --recursive --only-show-errors && cd got && \
         find . -type f -print0 | sort -z | xargs -0 sha256sum",
        "aws $DRILL_FLAGS s3api head-object --bucket $DRILL_NAME --key notes.txt --output text --query '[Metadata.m,CacheControl]'",
        "aws $DRILL_FLAGS s3api get-bucket-tagging --bucket $DRILL_NAME --output text",
        "aws $DRILL_FLAGS ssm get-parameters-by-path --path /$DRILL_NAME --output text --query 'Parameters[].[Name,Value]' | sort",
        "aws $DRILL_FLAGS dynamodb scan --table-name $DRILL_NAME --output json --query 'Items' | tr -d ' \\n'",
    ])
}

/// Removes what it made, whatever became of it.
pub(super) fn clear(scene: &Scene) -> Result<()> {
    const CLEAR: &str = r#"
        aws $DRILL_FLAGS s3 rb "s3://$DRILL_NAME" --force
        aws $DRILL_FLAGS ssm delete-parameters --names "/$DRILL_NAME/one" "/$DRILL_NAME/two"
        aws $DRILL_FLAGS dynamodb delete-table --table-name "$DRILL_NAME"
        if aws $DRILL_FLAGS s3api head-bucket --bucket "$DRILL_NAME"; then echo "the bucket $DRILL_NAME is left" >&2; exit 1; fi
        exit 0"#;
    let done = scene.run(&["bash", "--norc", "-c", CLEAR].map(OsString::from), b"")?;
    if done.code == 0 { Ok(()) } else { Err(Error::failure(tail(&done.stderr))) }
}
