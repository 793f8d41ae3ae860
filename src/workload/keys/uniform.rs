//! Every key is as likely as any other.

use super::{Kind, Sampler};

pub(super) const KIND: Kind = Kind {
    name: "uniform",
    about: "every key is as likely as any other",
    parameters: &[],
    prepare: |_, _, _| Sampler::Uniform,
};

#[cfg(test)]
mod tests {
    use super::super::counted;
    use crate::workload::goodness::assert_chi_square;

    #[test]
    fn every_key_is_as_likely_as_any_other() {
        assert_chi_square(&counted("uniform", 1000, 1_000_000), &[1.0; 1000]);
    }
}
