import Engine
import Losses
import Networks
import Sampling

// What a configuration chooses by name belongs to those who do it: their names are the values of its keys.

extension BatchStatistics: ConfigurationChoice {}
extension ConvolutionAlgorithm: ConfigurationChoice {}
extension Pooling: ConfigurationChoice {}

extension GeneralisedDiceLoss.Convention: ConfigurationChoice {}
extension GeneralisedDiceLoss.Weights: ConfigurationChoice {}
extension LossName: ConfigurationChoice {}

extension NetworkName: ConfigurationChoice {}
extension Activation: ConfigurationChoice {}
extension LogitsKind: ConfigurationChoice {}
extension Normalisation: ConfigurationChoice {}

extension IntensityNormalisation: ConfigurationChoice {}
extension NoForegroundRule: ConfigurationChoice {}
extension ReferenceKind: ConfigurationChoice {}
extension SamplerKind: ConfigurationChoice {}
extension SlicePlane: ConfigurationChoice {}
