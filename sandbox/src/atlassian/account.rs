//! An account as every Atlassian product holds it.
//!
//! Owns: what is kept of every account, what becomes of a world file's words on it, and how the login sees it.
//! Leaves to others: what a product keeps besides, and where pictures lie (`store` of each product).
//! A newcomer gets wrong: this is a macro and no type, as in `world`: a product's own fields stand beside the shared ones.

/// Declares `Account`, with the key that stays when the name changes, what every account has and what only this product's
/// has; and makes `Store` an [`AccountStore`](super::auth::AccountStore) of them.
macro_rules! stored {
    ($key:ident: $type:ty, session: $session:ty, may_log_in: $may_log_in:expr, { $($own:tt)* }) => {
        #[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
        pub(crate) struct Account {
            pub $key: $type,
            pub name: String,
            pub display_name: String,
            pub email: Option<String>,
            pub standing: Standing,
            pub role: $crate::atlassian::auth::Role,
            pub password: Option<String>,
            pub tokens: Vec<String>,
            pub blocked: bool,
            pub groups: std::collections::BTreeSet<String>,
            $($own)*
        }

        impl Account {
            /// As a world file has it, without what only this product has.
            pub(super) fn written(written: &AccountWorld, $key: $type, name: String) -> Self {
                Self {
                    $key,
                    display_name: written.display_name.clone().unwrap_or_else(|| name.clone()),
                    name,
                    email: written.email.clone(),
                    standing: written.standing,
                    role: written.role,
                    password: written.password.clone(),
                    tokens: written.tokens.clone(),
                    blocked: written.blocked,
                    groups: written.groups.iter().cloned().collect(),
                    ..Self::default()
                }
            }
        }

        impl $crate::atlassian::auth::AccountStore for Store {
            type Account = Account;
            type SessionData = $session;

            fn auth_state(&self) -> &$crate::atlassian::auth::AuthState<$session> {
                &self.auth_state
            }

            fn auth_state_mut(&mut self) -> &mut $crate::atlassian::auth::AuthState<$session> {
                &mut self.auth_state
            }

            fn accounts(&self) -> impl Iterator<Item = &Account> {
                self.accounts.values()
            }

            fn account(&self, key: &str) -> Option<&Account> {
                self.accounts.get(&key.parse::<$type>().ok()?)
            }

            fn insert(&mut self, account: Account) {
                self.accounts.insert(account.$key.clone(), account);
            }

            fn view(account: &Account) -> $crate::atlassian::auth::AccountView<'_> {
                let in_use = account.standing == Standing::Active;
                let may_log_in: fn(&Account) -> bool = $may_log_in;
                $crate::atlassian::auth::AccountView {
                    key: account.$key.to_string(),
                    name: &account.name,
                    display_name: &account.display_name,
                    email: account.email.as_deref(),
                    password: account.password.as_deref(),
                    tokens: &account.tokens,
                    in_use,
                    may_log_in: in_use && may_log_in(account),
                    blocked: account.blocked,
                }
            }

            fn block(&mut self, key: &str, blocked: bool) {
                if let Some(account) = key.parse().ok().and_then(|key: $type| self.accounts.get_mut(&key)) {
                    account.blocked = blocked;
                }
            }
        }
    };
}
pub(crate) use stored;
