extension SubjectReader {
    /// A subject's files with their headers read, all on one grid.
    struct OpenFiles {
        let images: [NIfTIInput]
        let reference: NIfTIInput?
        /// Nil also where nothing is normalised.
        let mask: NIfTIInput?

        /// Of the first image.
        var grid: VolumeGeometry { images[0].geometry }
    }

    /// - Throws: `NIfTIError` or `SubjectError.gridsDiffer`.
    func open(_ files: SubjectFiles) throws -> OpenFiles {
        let images = try files.images.map { try NIfTIInput(path: $0.path) }
        func check(_ input: NIfTIInput, _ role: String) throws -> NIfTIInput {
            guard let difference = input.geometry.difference(from: images[0].geometry) else { return input }
            throw SubjectError.gridsDiffer(
                subject: files.subject, role: role, path: input.path, difference: difference,
                firstRole: files.images[0].modality, firstPath: images[0].path)
        }
        for (image, input) in zip(files.images, images) { _ = try check(input, image.modality) }
        let reference = try files.reference.map {
            try check(
                NIfTIInput(path: $0, allowsSeries: referenceKind == .probabilities), "the reference")
        }
        if let reference, referenceKind == .probabilities {
            try SoftReference.checkVolumes(reference, classes: classes)
        }
        let mask =
            try normalisation == .zscore
            ? files.mask.map { try check(NIfTIInput(path: $0), "the mask") } : nil
        return OpenFiles(images: images, reference: reference, mask: mask)
    }

    /// Checks what the headers of a subject's files tell, and that none is cut: some kilobytes of each file
    /// are read.
    ///
    /// Voxels are not looked at: NaN, a constant image or an empty mask are found by ``read(_:)`` alone.
    /// - Parameter readsReference: Whether the reference is read to its end and its labels are checked.
    /// - Throws: As ``read(_:)``.
    public func check(_ files: SubjectFiles, readsReference: Bool) throws {
        let opened = try open(files)
        for input in opened.images + [opened.mask].compactMap({ $0 }) { try input.checkWhole() }
        guard let reference = opened.reference else { return }
        guard readsReference else { return try reference.checkWhole() }
        switch referenceKind {
        case .labels: _ = try labels(of: reference)
        case .probabilities: _ = try SoftReference(reading: reference, classes: classes)
        }
    }
}
