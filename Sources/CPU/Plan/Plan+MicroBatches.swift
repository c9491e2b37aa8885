import Engine

extension Plan {
    /// Runs backward of a micro-batch that others follow and adds its gradients to what is carried on to
    /// them.
    public func carryGradients(isFirst: Bool) throws {
        try eachFinalRange { range in
            for (sum, gradients) in zip(context.carriedGradients, context.writtenGradients) {
                if isFirst { sum.copy(gradients, range) } else { sum.add(gradients, range) }
            }
        }
    }

    /// The sum over all micro-batches of a range that is final in the last one, where gradients are written.
    func addCarried(_ range: Range<Int>) {
        for (sum, gradients) in zip(context.carriedGradients, context.writtenGradients) {
            gradients.add(sum, range)
        }
    }
}
