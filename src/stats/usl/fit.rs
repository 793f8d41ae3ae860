//! The law that is nearest to measurements, in squares of throughput, without a parameter below zero.
//!
//! λ stands before the rest as a factor, so the best one for given σ and κ is known, and a search is left for these two:
//! Gauss and Newton's, damped as Levenberg and Marquardt do, on the bounds where it would leave them.
//! Source: Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
//! separate", SIAM Journal on Numerical Analysis 10, 1973; with Kaufman's simpler derivative: λ is taken as it is.

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    pub lambda: f64,
    pub sigma: f64,
    pub kappa: f64,
}

const ROUNDS: usize = 100;

/// Steps that are damped by more than this, and still no improvement, are too small to make one.
const DAMPING_MAX: f64 = 1e4;

/// Of the squares, an improvement that ends the search.
const IMPROVEMENT_MIN: f64 = 1e-10;

/// A parameter that changes throughput by less than this share anywhere is zero.
const NOTHING: f64 = 1e-9;

/// Where the search begins: the nearest valley is the only one from some of these.
const STARTS: [(f64, f64); 4] = [(0.0, 0.0), (0.05, 0.0), (0.05, 1e-4), (0.5, 1e-2)];

impl Law {
    /// None when there is nothing to fit.
    pub fn fitted(points: &[(f64, f64)]) -> Option<Law> {
        let laws = STARTS.iter().filter_map(|(sigma, kappa)| Law::descended(points, *sigma, *kappa));
        let best = laws.min_by(|one, other| one.squares(points).total_cmp(&other.squares(points)))?;
        Some(best.without_nothings(points))
    }

    /// That of points which are much the same as those of this one.
    pub fn refitted(&self, points: &[(f64, f64)]) -> Option<Law> {
        Some(Law::descended(points, self.sigma, self.kappa)?.without_nothings(points))
    }

    pub fn at(&self, n: f64) -> f64 {
        self.lambda * self.shape(n)
    }

    /// The concurrency of the highest throughput. None when it grows for ever, or never grew.
    pub fn peak(&self) -> Option<f64> {
        (self.kappa > 0.0 && self.sigma < 1.0).then(|| ((1.0 - self.sigma) / self.kappa).sqrt())
    }

    pub fn r_squared(&self, points: &[(f64, f64)]) -> f64 {
        let mean = points.iter().map(|(_, x)| x).sum::<f64>() / points.len() as f64;
        let all: f64 = points.iter().map(|(_, x)| (x - mean).powi(2)).sum();
        if all > 0.0 { 1.0 - self.squares(points) / all } else { 1.0 }
    }

    fn squares(&self, points: &[(f64, f64)]) -> f64 {
        points.iter().map(|(n, x)| (x - self.at(*n)).powi(2)).sum()
    }

    fn shape(&self, n: f64) -> f64 {
        n / (1.0 + self.sigma * (n - 1.0) + self.kappa * n * (n - 1.0))
    }

    /// With the best λ for these.
    fn with(points: &[(f64, f64)], sigma: f64, kappa: f64) -> Law {
        let law = Law { lambda: 1.0, sigma, kappa };
        let (product, square) = points.iter().fold((0.0, 0.0), |(product, square), (n, x)| {
            let shape = law.shape(*n);
            (product + x * shape, square + shape * shape)
        });
        Law { lambda: product / square, ..law }
    }

    fn descended(points: &[(f64, f64)], sigma: f64, kappa: f64) -> Option<Law> {
        let mut law = Law::with(points, sigma, kappa);
        let mut squares = law.squares(points);
        let mut damping = 1e-3;
        for _ in 0..ROUNDS {
            let next = law.stepped(points, damping);
            let fewer = next.squares(points);
            if fewer < squares {
                let is_there = squares - fewer <= squares * IMPROVEMENT_MIN;
                (law, squares, damping) = (next, fewer, damping / 5.0);
                if is_there {
                    break;
                }
            } else {
                damping *= 5.0;
                if damping > DAMPING_MAX {
                    break;
                }
            }
        }
        squares.is_finite().then_some(law)
    }

    /// One step of the descent.
    fn stepped(&self, points: &[(f64, f64)], damping: f64) -> Law {
        // The columns of the derivative, each without its part along the shape, which λ takes up.
        let column = |weight: &dyn Fn(f64) -> f64| -> Vec<f64> {
            let raw: Vec<f64> = points.iter().map(|(n, _)| -self.at(*n) * self.shape(*n) / n * weight(*n)).collect();
            let shapes: Vec<f64> = points.iter().map(|(n, _)| self.shape(*n)).collect();
            let share = dot(&raw, &shapes) / dot(&shapes, &shapes);
            raw.iter().zip(&shapes).map(|(value, shape)| value - share * shape).collect()
        };
        let rest: Vec<f64> = points.iter().map(|(n, x)| x - self.at(*n)).collect();
        let of_sigma = column(&|n| n - 1.0);
        let of_kappa = column(&|n| n * (n - 1.0));
        let (ss, kk, sk) = (dot(&of_sigma, &of_sigma), dot(&of_kappa, &of_kappa), dot(&of_sigma, &of_kappa));
        let (s, k) = (dot(&of_sigma, &rest), dot(&of_kappa, &rest));
        let (ss, kk) = (ss * (1.0 + damping), kk * (1.0 + damping));
        // On a bound, and drawn beyond it: only the other one moves.
        let (by_sigma, by_kappa) = match (self.sigma <= 0.0 && s <= 0.0, self.kappa <= 0.0 && k <= 0.0) {
            (true, true) => (0.0, 0.0),
            (true, false) => (0.0, k / kk),
            (false, true) => (s / ss, 0.0),
            (false, false) => {
                let determinant = ss * kk - sk * sk;
                ((s * kk - k * sk) / determinant, (k * ss - s * sk) / determinant)
            }
        };
        let moved = |from: f64, by: f64| if by.is_finite() { (from + by).max(0.0) } else { from };
        Law::with(points, moved(self.sigma, by_sigma), moved(self.kappa, by_kappa))
    }

    /// A parameter that makes no difference is zero, and not the last digit of a sum.
    fn without_nothings(self, points: &[(f64, f64)]) -> Law {
        let greatest = points.iter().map(|(n, _)| *n).fold(1.0, f64::max);
        let sigma = if self.sigma * greatest < NOTHING { 0.0 } else { self.sigma };
        let kappa = if self.kappa * greatest * greatest < NOTHING { 0.0 } else { self.kappa };
        Law::with(points, sigma, kappa)
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}
