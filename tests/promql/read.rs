//! Text to tree: the part of PromQL that our expressions use, by precedence climbing.

use super::tokens::tokens;

/// One expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// A number, or what becomes one.
    Number,
    /// A string, as an argument.
    Text(String),
    /// A vector selector.
    Selector(Selector),
    /// A function.
    Call { function: String, args: Vec<Expr> },
    /// An aggregation.
    Aggregate {
        operator: String,
        grouping: Grouping,
        args: Vec<Expr>,
    },
    /// Two sides.
    Binary {
        operator: String,
        matching: Grouping,
        brought: Vec<String>,
        sides: Box<(Expr, Expr)>,
    },
    /// `expr[5m:1m]`.
    Subquery(Box<Expr>),
}

/// `by`, `without`, `on`, `ignoring`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Grouping {
    /// Nothing is said.
    Unsaid,
    /// `by` or `on`.
    Only(Vec<String>),
    /// `without` or `ignoring`.
    AllBut(Vec<String>),
}

/// A vector selector.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selector {
    /// The metric.
    pub(crate) name: String,
    /// Label, operator, value.
    pub(crate) matchers: Vec<(String, String, String)>,
    /// Whether it has a range.
    pub(crate) ranged: bool,
}

impl Selector {
    /// As a query of its own, without its range.
    pub(crate) fn alone(&self) -> String {
        let matcher = |(label, operator, value): &(String, String, String)| {
            format!("{label}{operator}\"{}\"", value.replace('\\', "\\\\"))
        };
        let matchers: Vec<_> = self.matchers.iter().map(matcher).collect();
        format!("{}{{{}}}", self.name, matchers.join(","))
    }
}

const AGGREGATIONS: &[&str] = &[
    "sum", "min", "max", "avg", "count", "group", "topk", "bottomk", "quantile",
];
/// From the weakest to the strongest; `^` is not used.
const OPERATORS: &[&[&str]] = &[
    &["or"],
    &["and", "unless"],
    &["==", "!=", ">=", "<=", ">", "<"],
    &["+", "-"],
    &["*", "/", "%"],
];

/// Reads a whole expression.
///
/// # Errors
/// What was found where something else had to stand.
pub(crate) fn read(text: &str) -> Result<Expr, String> {
    let mut reader = Reader {
        tokens: tokens(text)?,
        at: 0,
    };
    let expr = reader.binary(0)?;
    match reader.peek() {
        "" => Ok(expr),
        more => Err(format!("does not end where it should, but at {more}")),
    }
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        let token = self.peek().to_owned();
        self.at += 1;
        token
    }

    fn take(&mut self, token: &str) -> bool {
        let is_it = self.peek() == token;
        self.at += usize::from(is_it);
        is_it
    }

    fn need(&mut self, token: &str) -> Result<(), String> {
        match self.next() {
            found if found == token => Ok(()),
            found if found.is_empty() => Err(format!("ends where {token} must stand")),
            found => Err(format!("has {found} where {token} must stand")),
        }
    }

    fn binary(&mut self, level: usize) -> Result<Expr, String> {
        let Some(operators) = OPERATORS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        while operators.contains(&self.peek()) {
            let operator = self.next();
            self.take("bool");
            let matching = self.grouping("on", "ignoring")?;
            let brings = self.take("group_left") || self.take("group_right");
            let brought = match brings && self.peek() == "(" {
                true => self.names()?,
                false => Vec::new(),
            };
            left = Expr::Binary {
                operator,
                matching,
                brought,
                sides: Box::new((left, self.binary(level + 1)?)),
            };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        let _sign = self.take("-") || self.take("+");
        let mut expr = self.primary()?;
        loop {
            if self.take("[") {
                let range = self.next();
                is_duration(&range)?;
                match &mut expr {
                    Expr::Selector(selector) if !range.contains(':') => selector.ranged = true,
                    _ => expr = Expr::Subquery(Box::new(expr)),
                }
                self.need("]")?;
            } else if self.take("offset") {
                is_duration(&self.next())?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, String> {
        let token = self.next();
        let first = token.chars().next().unwrap_or(' ');
        match first {
            '(' => {
                let expr = self.binary(0)?;
                self.need(")")?;
                Ok(expr)
            }
            '"' => Ok(Expr::Text(token[1..].to_owned())),
            '0'..='9' => Ok(Expr::Number),
            _ if !first.is_ascii_alphabetic() && first != '_' => Err(match first {
                ' ' => "ends where an expression must stand".to_owned(),
                _ => format!("has {token} where an expression must stand"),
            }),
            _ if AGGREGATIONS.contains(&token.as_str()) => self.aggregate(token),
            _ if self.peek() == "(" => Ok(Expr::Call {
                function: token,
                args: self.args()?,
            }),
            _ => self.selector(token),
        }
    }

    fn aggregate(&mut self, operator: String) -> Result<Expr, String> {
        let before = self.grouping("by", "without")?;
        let args = self.args()?;
        let grouping = match before {
            Grouping::Unsaid => self.grouping("by", "without")?,
            said => said,
        };
        Ok(Expr::Aggregate {
            operator,
            grouping,
            args,
        })
    }

    fn grouping(&mut self, only: &str, all_but: &str) -> Result<Grouping, String> {
        Ok(match () {
            () if self.take(only) => Grouping::Only(self.names()?),
            () if self.take(all_but) => Grouping::AllBut(self.names()?),
            () => Grouping::Unsaid,
        })
    }

    fn names(&mut self) -> Result<Vec<String>, String> {
        self.need("(")?;
        let mut names = Vec::new();
        while !self.take(")") {
            names.push(self.next());
            if self.peek() != ")" {
                self.need(",")?;
            }
        }
        Ok(names)
    }

    fn args(&mut self) -> Result<Vec<Expr>, String> {
        self.need("(")?;
        let mut args = Vec::new();
        while !self.take(")") {
            args.push(self.binary(0)?);
            if self.peek() != ")" {
                self.need(",")?;
            }
        }
        Ok(args)
    }

    fn selector(&mut self, name: String) -> Result<Expr, String> {
        let mut matchers = Vec::new();
        if self.take("{") {
            while !self.take("}") {
                let (label, operator, value) = (self.next(), self.next(), self.next());
                if !["=", "!=", "=~", "!~"].contains(&operator.as_str()) {
                    return Err(format!("has {label} {operator} where a matcher must stand"));
                }
                let value = value.strip_prefix('"').ok_or("a matcher has no string")?;
                matchers.push((label, operator, value.to_owned()));
                if self.peek() != "}" {
                    self.need(",")?;
                }
            }
        }
        Ok(Expr::Selector(Selector {
            name,
            matchers,
            ranged: false,
        }))
    }
}

fn is_duration(text: &str) -> Result<(), String> {
    let is_one = text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c: char| "smhdwy:".contains(c));
    match is_one {
        true => Ok(()),
        false => Err(format!("has {text} where a duration must stand")),
    }
}
