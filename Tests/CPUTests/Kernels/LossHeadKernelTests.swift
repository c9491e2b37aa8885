import CKernels
import Foundation
import Testing

@testable import CPU
@testable import Engine

/// Softmax, the losses' sums and the gradient of the logits against their definitions, in double and voxel by
/// voxel, on every instruction set of this machine.
@Suite struct LossHeadKernelTests {
    @Test(arguments: 2...40)
    func everyNumberOfClasses(classes: Int) {
        for spread: Float in [1, 4, 60] {
            Patch(classes: classes, voxels: 45, spread: spread).check()
        }
    }

    /// Parts of a vector, and more voxels than are summed in one go.
    @Test(arguments: [1, 7, 8, 17, 4111], [2, 3, 5])
    func everyNumberOfVoxels(voxels: Int, classes: Int) {
        Patch(classes: classes, voxels: voxels, spread: 4).check()
    }

    /// A voxel's class is almost certain, and its loss hardly depends on it: what is left of the gradient is
    /// a difference of 1e-9 of the terms, which float32 probabilities that miss 1 by 1e-7 must not cover.
    @Test func smallDifferencesSurvive() {
        for set in InstructionSet.available {
            var patch = Patch(classes: 3, voxels: 1, spread: 1)
            patch.logits = [0, 21, 1]
            patch.labels = [1]
            patch.derivatives = [Double](repeating: 0, count: 15)
            patch.derivatives.replaceSubrange(0..<3, with: [5, 1000, 2])
            let found = patch.run(set, threads: 1, soft: false)
            let expected = patch.gradient(found.probabilities.map(Double.init), nil)
            for (value, exact) in zip(found.gradient, expected) {
                #expect(abs(Double(value) - exact.value) <= 1e-7 * abs(exact.value), "\(set)")
                #expect(exact.value != 0)
            }
        }
    }
}

/// A patch with everything that the kernels of the loss read, [class][voxel].
private struct Patch {
    let classes, voxels: Int
    var logits: [Float]
    var labels: [UInt8]
    var soft: [Float]
    /// By P, I, A, B and C, [derivative][class], over six orders of magnitude as weights by volume are.
    var derivatives: [Double]

    struct Result: Equatable {
        var probabilities: [Float]
        var sums: [Double]
        var gradient: [Float]
        /// Whether channels that pad a block are zero, and the other slot is as it was.
        var isRestClean: Bool
    }

    /// - Parameter spread: logits lie between it and its negative.
    init(classes: Int, voxels: Int, spread: Float) {
        (self.classes, self.voxels) = (classes, voxels)
        var draws = FixtureDraws("loss head \(classes) \(voxels) \(spread)")
        logits = (0..<classes * voxels).map { _ in spread * Float(draws.signed()) }
        labels = (0..<voxels).map { _ in UInt8(draws.word() % UInt64(classes)) }
        derivatives = (0..<5 * classes).map { _ in draws.signed() * pow(10, Double(draws.word() % 7)) }
        soft = (0..<classes * voxels).map { _ in Float(max(0, draws.signed())) }
        for voxel in 0..<voxels {
            var total: Float = 1e-3
            for label in 0..<classes { total += soft[label * voxels + voxel] }
            for label in 0..<classes { soft[label * voxels + voxel] /= total }
        }
    }

    func run(_ set: InstructionSet, threads: Int, soft isSoft: Bool) -> Result {
        let block = Int(dr_block(set.kernels))
        let blocks = (classes + block - 1) / block
        let perSlot = blocks * block * voxels
        func tensor(_ value: Float) -> dr_tensor {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 8 * perSlot, alignment: 64)
                .bindMemory(to: Float.self, capacity: 2 * perSlot)
            memory.initialize(repeating: value, count: 2 * perSlot)
            return dr_tensor(
                data: memory, slots: 2, blocks: Int64(blocks), volume: Int64(voxels), isa: set.kernels)
        }
        // What pads a block must not be read, and all of the gradient's slot is written.
        var z = tensor(1e30)
        var dz = tensor(-7)
        defer {
            z.data.deallocate()
            dz.data.deallocate()
        }
        func place(_ label: Int, _ voxel: Int) -> Int {
            perSlot + (label / block * voxels + voxel) * block + label % block
        }
        for label in 0..<classes {
            for voxel in 0..<voxels { z.data[place(label, voxel)] = logits[label * voxels + voxel] }
        }
        let (n, count) = (Int32(classes), Int32(threads))
        var p = [Float](repeating: 0, count: classes * voxels)
        var sums = [Double](repeating: 0, count: 6 * classes + 3)
        dr_softmax(&z, 1, n, &p, count)
        soft.withUnsafeBufferPointer { soft in
            let reference = isSoft ? soft.baseAddress : nil
            dr_loss_sums(&z, 1, p, labels, reference, Int64(voxels), n, &sums, count)
            dr_softmax_backward(p, labels, reference, n, derivatives, &dz, 1, count)
        }
        var gradient: [Float] = []
        var clean = (0..<perSlot).allSatisfy { dz.data[$0] == -7 }
        for label in 0..<blocks * block {
            for voxel in 0..<voxels {
                let value = dz.data[place(label, voxel)]
                if label < classes { gradient.append(value) } else { clean = clean && value == 0 }
            }
        }
        return Result(probabilities: p, sums: sums, gradient: gradient, isRestClean: clean)
    }

    func check(_ location: SourceLocation = #_sourceLocation) {
        for isSoft in [false, true] {
            let found = run(.portable, threads: 1, soft: isSoft)
            for set in InstructionSet.available {
                for threads in [1, 2, 3, 5] where set != .portable || threads != 1 {
                    #expect(
                        run(set, threads: threads, soft: isSoft) == found,
                        "\(classes) classes, \(voxels) voxels, \(set), \(threads) threads",
                        sourceLocation: location)
                }
            }
            #expect(found.isRestClean, sourceLocation: location)
            checkProbabilities(found.probabilities, location)
            let p = found.probabilities.map(Double.init)
            checkSums(found.sums, p, isSoft, location)
            let expected = gradient(p, isSoft ? soft.map(Double.init) : nil)
            let worst = zip(found.gradient, expected).map { value, exact in
                // The last rounding is to float32; before it, a few roundings of a double a class.
                abs(Double(value) - exact.value) / (6.1e-8 * abs(exact.value) + 1e-14 * exact.terms + 1e-44)
            }.max()
            #expect(
                (worst ?? 2) <= 1, "\(classes) classes, \(voxels) voxels, soft: \(isSoft)",
                sourceLocation: location)
        }
    }

    private func checkProbabilities(_ found: [Float], _ location: SourceLocation) {
        for voxel in 0..<voxels {
            let z = (0..<classes).map { Double(logits[$0 * voxels + voxel]) }
            let largest = z.max() ?? 0
            let total = z.reduce(0) { $0 + exp($1 - largest) }
            for label in 0..<classes {
                let expected = exp(z[label] - largest) / total
                // Rounding of the difference that is exponentiated, then of exponential, sum and quotient.
                let tolerance = 6e-8 * (3 + Double(classes) / 2 + largest - z[label])
                #expect(
                    abs(Double(found[label * voxels + voxel]) - expected) <= tolerance * expected + 1e-44,
                    "class \(label) of \(classes), voxel \(voxel)", sourceLocation: location)
            }
        }
    }

    private func checkSums(_ found: [Double], _ p: [Double], _ isSoft: Bool, _ location: SourceLocation) {
        var expected = [Double](repeating: 0, count: 6 * classes + 3)
        for voxel in 0..<voxels {
            let z = (0..<classes).map { Double(logits[$0 * voxels + voxel]) }
            let logTotal = log(z.reduce(0) { $0 + exp($1) })
            for label in 0..<classes {
                let at = label * voxels + voxel
                let r = isSoft ? Double(soft[at]) : Int(labels[voxel]) == label ? 1 : 0
                let logP = p[at] > 1e-30 ? log(p[at]) : z[label] - logTotal
                let error = (r - p[at]) * (r - p[at])
                let terms = [r, p[at], r * p[at], r * error, (1 - r) * error, r * logP]
                for (sum, term) in terms.enumerated() { expected[sum * classes + label] += term }
            }
            let predicted = (0..<classes).max { p[$0 * voxels + voxel] < p[$1 * voxels + voxel] } ?? 0
            let first = (0..<classes).first { p[$0 * voxels + voxel] == p[predicted * voxels + voxel] } ?? 0
            expected[6 * classes] += first != 0 ? 1 : 0
            expected[6 * classes + 1] += labels[voxel] != 0 ? 1 : 0
            expected[6 * classes + 2] += first != 0 && labels[voxel] != 0 ? 1 : 0
        }
        for (index, pair) in zip(found, expected).enumerated() {
            #expect(
                abs(pair.0 - pair.1) <= 1e-12 * abs(pair.1),
                "sum \(index / classes), class \(index % classes) of \(classes), soft: \(isSoft)",
                sourceLocation: location)
        }
    }

    /// dz_l = p_l sum over k of p_k (g_l - g_k) + sum over k of c_k r_k ((k == l) - p_l), where g is dL/dp
    /// without the part of C and c is dL/dC; and the sum of the terms' magnitudes. [class][voxel]
    func gradient(_ p: [Double], _ soft: [Double]?) -> [(value: Double, terms: Double)] {
        var result = [(value: Double, terms: Double)](repeating: (0, 0), count: classes * voxels)
        func d(_ k: Int, _ label: Int) -> Double { derivatives[k * classes + label] }
        for voxel in 0..<voxels {
            let q = (0..<classes).map { p[$0 * voxels + voxel] }
            let r = (0..<classes).map { label in
                soft.map { $0[label * voxels + voxel] } ?? (Int(labels[voxel]) == label ? 1 : 0)
            }
            let g = (0..<classes).map { l in
                d(0, l) + d(1, l) * r[l] + 2 * (q[l] - r[l]) * (d(2, l) * r[l] + d(3, l) * (1 - r[l]))
            }
            for l in 0..<classes {
                var (value, terms) = (0.0, 0.0)
                for k in 0..<classes {
                    let parts = [
                        q[l] * q[k] * (g[l] - g[k]), d(4, k) * r[k] * ((k == l ? 1 : 0) - q[l]),
                    ]
                    value += parts[0] + parts[1]
                    terms += abs(parts[0]) + abs(parts[1])
                }
                result[l * voxels + voxel] = (value, terms)
            }
        }
        return result
    }
}
