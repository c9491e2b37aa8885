import Collectives

/// The step on some ranks and a link, by the model.
struct ScalingForecast {
    enum Kind: String { case weak, strong }

    let kind: Kind
    let link: ForecastLink
    let ranks: Int
    /// Patches of all ranks.
    let batch: Int
    let steps: [(algorithm: ReductionAlgorithm, step: StepForecast)]
    /// The seconds that the ranks would need if they had nothing to wait for, at the speed of the weak case.
    let idealSeconds: Double

    func efficiency(_ step: StepForecast) -> Double { idealSeconds / step.stepSeconds }

    /// Weak scaling on 2, 4, ... up to `maxRanks` ranks, then strong scaling on those that divide
    /// `globalBatch`.
    static func all(
        _ measurement: ScalingMeasurement, links: [ForecastLink], maxRanks: Int, globalBatch: Int
    ) -> [ScalingForecast] {
        let powers = Array(sequence(first: 2) { $0 * 2 }.prefix { $0 <= maxRanks })
        let shared = powers.filter { globalBatch % $0 == 0 }
        return links.flatMap { link in
            powers.map { ScalingForecast(.weak, measurement, link, ranks: $0, patches: measurement.slots) }
        }
            + links.flatMap { link in
                shared.map {
                    ScalingForecast(.strong, measurement, link, ranks: $0, patches: globalBatch / $0)
                }
            }
    }

    private init(
        _ kind: Kind, _ measurement: ScalingMeasurement, _ link: ForecastLink, ranks: Int, patches: Int
    ) {
        let work = measurement.work.work(patches: patches).withAgreement
        (self.kind, self.link, self.ranks, batch) = (kind, link, ranks, ranks * patches)
        steps = ReductionAlgorithm.allCases.map {
            ($0, work.forecast(ranks: ranks, link: link.link, algorithm: $0))
        }
        idealSeconds = measurement.work.many.computeSeconds * Double(patches) / Double(measurement.slots)
    }
}
