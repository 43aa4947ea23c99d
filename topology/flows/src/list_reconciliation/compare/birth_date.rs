//! Equality of dates of birth, which the two sides write differently.

/// Whether `YYYYMMDD` of the practice is the ISO date of PDS.
///
/// Two absent dates are the same. An absent date differs from a present one, and a PDS date of only a year, or a year and
/// month, differs from every full date: the earlier implementation could not process either and its job never ended, so
/// there is no earlier result to reproduce.
pub(in crate::list_reconciliation) fn same(gp: &str, pds: &str) -> bool {
    let (gp, pds) = (gp.trim().as_bytes(), pds.trim().as_bytes());
    if gp.is_empty() || pds.is_empty() {
        return gp.is_empty() && pds.is_empty();
    }
    if gp.len() != 8 || pds.len() != 10 || pds[4] != b'-' || pds[7] != b'-' {
        return false;
    }
    gp[..4] == pds[..4] && gp[4..6] == pds[5..7] && gp[6..] == pds[8..]
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn the_same_day_in_both_notations_is_equal() {
        assert!(same("20120211", "2012-02-11"));
        assert!(!same("20120211", "2012-02-12"));
        assert!(!same("20120211", "2012-11-02"));
        assert!(!same("20120211", "2013-02-11"));
    }

    #[test]
    fn a_date_absent_on_one_side_is_a_difference_and_on_both_sides_is_none() {
        assert!(!same("", "2012-02-11"));
        assert!(!same("20120211", ""));
        assert!(same("", ""));
        assert!(same("  ", ""));
    }

    #[test]
    fn a_partial_date_on_pds_is_a_difference() {
        assert!(!same("19230101", "1923"));
        assert!(!same("19230501", "1923-05"));
        assert!(!same("", "1923"));
    }
}
