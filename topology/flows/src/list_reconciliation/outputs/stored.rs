//! The practice's values as the outputs show them.

use std::borrow::Cow;

use concord_schemas::list_reconciliation::GpRecord;

use crate::list_reconciliation::profile::Profile;

/// A text as given, but one of nothing but white space is empty.
pub(super) fn text(value: Option<&str>) -> &str {
    match value {
        Some(text) if !text.trim().is_empty() => text,
        _ => "",
    }
}

/// The sex digit. The earlier implementation showed 0 as an empty text.
pub(super) fn sex(gp: &GpRecord<'_>, profile: Profile) -> Cow<'static, str> {
    match gp.sex {
        None => Cow::Borrowed(""),
        Some(0) if profile == Profile::Compatible => Cow::Borrowed(""),
        Some(0) => Cow::Borrowed("0"),
        Some(1) => Cow::Borrowed("1"),
        Some(2) => Cow::Borrowed("2"),
        Some(9) => Cow::Borrowed("9"),
        Some(other) => Cow::Owned(other.to_string()),
    }
}

/// The five address lines.
pub(super) fn address<'a>(gp: &GpRecord<'a>) -> [&'a str; 5] {
    [
        text(gp.address_line_1),
        text(gp.address_line_2),
        text(gp.address_line_3),
        text(gp.address_line_4),
        text(gp.address_line_5),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_as_given_unless_it_is_blank() {
        assert_eq!(text(Some("E1   1AA")), "E1   1AA");
        assert_eq!(text(Some(" A ")), " A ");
        assert_eq!(text(Some("  ")), "");
        assert_eq!(text(None), "");
    }

    #[test]
    fn sex_zero_is_shown_when_fixed_and_empty_when_compatible() {
        let with = |sex| GpRecord { sex, ..GpRecord::default() };
        for profile in [Profile::Fixed, Profile::Compatible] {
            assert_eq!(sex(&with(Some(1)), profile), "1");
            assert_eq!(sex(&with(Some(9)), profile), "9");
            assert_eq!(sex(&with(None), profile), "");
        }
        assert_eq!(sex(&with(Some(0)), Profile::Fixed), "0");
        assert_eq!(sex(&with(Some(0)), Profile::Compatible), "");
    }
}
