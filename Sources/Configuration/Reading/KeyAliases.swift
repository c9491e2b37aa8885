extension KeyVisitor {
    /// What other programs call keys, in lower case without hyphens and underscores.
    static let aliases = [
        "lr": "learning_rate", "stepsize": "learning_rate",
        "initiallr": "learning_rate", "baselr": "learning_rate",
        "bs": "batch", "batchsize": "batch", "minibatch": "batch",
        "gradientaccumulation": "accumulate", "accumulationsteps": "accumulate",
        "accumulategradbatches": "accumulate",
        "epoch": "steps", "epochs": "steps", "numepochs": "steps", "maxepochs": "steps",
        "iter": "steps", "iters": "steps", "iterations": "steps", "maxiterations": "steps",
        "maxsteps": "steps", "numsteps": "steps",
        "model": "network", "net": "network", "architecture": "network", "arch": "network",
        "criterion": "loss", "lossfunction": "loss", "optim": "optimizer", "optimiser": "optimizer",
        "dataset": "data", "csv": "list", "subjects": "list", "datalist": "list",
        "channels": "modalities", "images": "modalities", "inputs": "modalities",
        "label": "reference", "labels": "reference", "seg": "reference", "segmentation": "reference",
        "groundtruth": "reference", "numclasses": "classes", "nclasses": "classes",
        "val": "held_out", "validation": "held_out", "valfraction": "held_out", "testfraction": "held_out",
        "cropsize": "size", "roisize": "size",
        "filters": "widths", "features": "widths", "dropoutrate": "dropout",
        "gradclip": "clip", "clipnorm": "clip", "gradientclip": "clip", "maxnorm": "clip",
        "randomseed": "seed", "numthreads": "threads", "workers": "threads", "numworkers": "threads",
        "saveevery": "checkpoint", "keeplast": "keep",
    ]
}
