//! Keys around the middle of the key space: neighbours are alike, as in memtier's `G`.

use super::{Kind, Parameter, Sample, Sampler};
use crate::units::Draws;

pub(super) const KIND: Kind = Kind {
    name: "gaussian",
    about: "keys around the middle of the key space; STDDEV is a share of it",
    parameters: &[STDDEV],
    prepare: |values, key_count, _| Sampler::other(Gaussian::new(key_count, values[0])),
};

/// A sixth of the key space, as in memtier, puts the ends of the key space at three standard deviations. Beyond 1000 no
/// test could tell it from `uniform`.
const STDDEV: Parameter = Parameter { name: "STDDEV", default: Some(0.167), above: 0.0, most: 1000.0 };

/// The normal distribution between the ends of the key space, by inversion: what is drawn lies between the shares that
/// the ends have, so nothing has to be drawn again.
#[derive(Debug)]
struct Gaussian {
    key_count: f64,
    last: u64,
    stddev: f64,
    /// Of the whole normal distribution, what is below the first key, and what is in the key space.
    below: f64,
    inside: f64,
}

impl Gaussian {
    /// `stddev` is a share of the key space, above 0.
    fn new(key_count: u64, stddev: f64) -> Gaussian {
        let below = share_below(-0.5 / stddev);
        Gaussian { key_count: key_count as f64, last: key_count - 1, stddev, below, inside: 1.0 - 2.0 * below }
    }
}

impl Sample for Gaussian {
    fn index(&self, draws: &mut Draws, _: u64) -> u64 {
        let place = 0.5 + self.stddev * quantile(self.below + self.inside * draws.unit());
        // A cast takes what is below 0 by a rounding error to 0.
        ((place * self.key_count) as u64).min(self.last)
    }
}

/// The share of a normal distribution below `x`, at most 0: the inverse of [`quantile`] by halving intervals.
fn share_below(x: f64) -> f64 {
    let (mut low, mut high) = (f64::MIN_POSITIVE, 0.5);
    // The exponent takes 10 halvings of the interval's logarithm, the fraction 53.
    for _ in 0..64 {
        let middle = if low * 2.0 < high { (low * high).sqrt() } else { (low + high) / 2.0 };
        if quantile(middle) < x { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The value below which `share`, between 0 and 1, of the normal distribution is, to 16 digits.
/// Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37(3),
/// 1988, PPND16.
#[inline]
fn quantile(share: f64) -> f64 {
    let centered = share - 0.5;
    // Five draws of six.
    if centered.abs() <= 0.425 {
        let r = 0.180_625 - centered * centered;
        return centered * fraction(r, &CENTER);
    }
    let r = (-if centered < 0.0 { share } else { 1.0 - share }.ln()).sqrt();
    let x = if r <= 5.0 { fraction(r - 1.6, &TAIL) } else { fraction(r - 5.0, &FAR_TAIL) };
    x.copysign(centered)
}

/// A numerator and a denominator, coefficients from the constant one on.
type Fraction = [[f64; 8]; 2];

#[inline]
fn fraction(x: f64, [numerator, denominator]: &Fraction) -> f64 {
    // By Estrin's scheme: Horner's has each of its 14 steps wait for the one before.
    let (x2, x4) = (x * x, x * x * x * x);
    let value =
        |c: &[f64; 8]| (c[0] + c[1] * x) + (c[2] + c[3] * x) * x2 + ((c[4] + c[5] * x) + (c[6] + c[7] * x) * x2) * x4;
    value(numerator) / value(denominator)
}

#[rustfmt::skip]
static CENTER: Fraction = [
    [
        3.387_132_872_796_366_5, 1.331_416_678_917_843_8e2, 1.971_590_950_306_551_3e3, 1.373_169_376_550_946e4,
        4.592_195_393_154_987e4, 6.726_577_092_700_87e4, 3.343_057_558_358_813e4, 2.509_080_928_730_122_7e3,
    ],
    [
        1.0, 4.231_333_070_160_091e1, 6.871_870_074_920_579e2, 5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4, 3.930_789_580_009_271e4, 2.872_908_573_572_194_3e4, 5.226_495_278_852_545e3,
    ],
];

#[rustfmt::skip]
static TAIL: Fraction = [
    [
        1.423_437_110_749_683_5, 4.630_337_846_156_546, 5.769_497_221_460_691, 3.647_848_324_763_204_5,
        1.270_458_252_452_368_4, 2.417_807_251_774_506e-1, 2.272_384_498_926_918_4e-2, 7.745_450_142_783_414e-4,
    ],
    [
        1.0, 2.053_191_626_637_759, 1.676_384_830_183_803_8, 6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1, 1.519_866_656_361_645_7e-2, 5.475_938_084_995_345e-4, 1.050_750_071_644_416_9e-9,
    ],
];

#[rustfmt::skip]
static FAR_TAIL: Fraction = [
    [
        6.657_904_643_501_103, 5.463_784_911_164_114, 1.784_826_539_917_291_3, 2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2, 1.242_660_947_388_078_4e-3, 2.711_555_568_743_487_6e-5, 2.010_334_399_292_288_1e-7,
    ],
    [
        1.0, 5.998_322_065_558_88e-1, 1.369_298_809_227_358e-1, 1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4, 1.846_318_317_510_054_8e-5, 1.421_511_758_316_446e-7, 2.044_263_103_389_939_8e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;
    use crate::workload::goodness::assert_chi_square;

    /// From printed tables, and the two that the author gives for his algorithm.
    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for (share, expected) in [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813_5),
            (1e-20, -9.262_340_089_798_408),
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.999, 3.090_232_306_167_813_5),
        ] {
            let x = quantile(share);
            assert!((x - expected).abs() < 1e-13, "{share}: {x}");
        }
    }

    #[test]
    fn the_share_below_undoes_the_quantile() {
        for (x, expected) in [(-1.0, 0.158_655_253_931_457), (-3.0, 1.349_898_031_630_09e-3), (-8.0, 6.220_960_574e-16)]
        {
            let share = share_below(x);
            assert!((share / expected - 1.0).abs() < 1e-9, "{x}: {share}");
        }
        assert!(share_below(-1000.0) < 1e-300);
    }

    /// Integrated by Simpson's rule, not by what is under test.
    #[test]
    fn keys_are_as_likely_as_the_bell_says() {
        for stddev in [0.001, 0.05, 0.167, 0.5, 3.0, 1000.0] {
            let density = |place: f64| (-0.5 * ((place - 0.5) / stddev).powi(2)).exp();
            let weights: Vec<f64> = (0..1000)
                .map(|index| f64::from(index) / 1000.0)
                .map(|at| density(at) + 4.0 * density(at + 0.0005) + density(at + 0.001))
                .collect();
            assert_chi_square(&counted(&format!("gaussian:{stddev}"), 1000, 200_000), &weights);
        }
    }
}
