import CKernels
import COneDNN
import Engine
import Geometry

/// One direction of a convolution, compiled by oneDNN for its shapes and number of threads.
final class ConvolutionPrimitive {
    private let handle: OpaquePointer
    private let name: String

    /// - Parameter stride: Between the voxels of x under the kernel's corner, an axis.
    init(
        _ c: Graph.Convolution, x: Tensor, y: Tensor, stride: Size3 = Size3(1, 1, 1), direction: dnn_direction
    ) throws(EngineError) {
        // The dilation lies in the layout.
        let zeros = Size3 { c.zeros($0) / c.dilation }
        var shape = dnn_shape(
            batch: Int64(x.slots), input_channels: Int64(x.layout.channels),
            output_channels: Int64(y.layout.channels), input: x.layout.extent.kernelView,
            output: y.layout.extent.kernelView,
            kernel: c.kernel.kernelView, padding: zeros.kernelView, stride: stride.kernelView,
            has_bias: c.bias ? 1 : 0,
            block: x.layout.block == 16 ? DNN_BLOCK_16 : DNN_BLOCK_8)
        var created: OpaquePointer?
        let status = dnn_convolution_create(&created, &shape, direction)
        guard status == 0, let created else {
            throw .oneDNN(operation: c.name, status: String(cString: dnn_status_text(status)))
        }
        (handle, name) = (created, c.name)
    }

    deinit { dnn_convolution_destroy(handle) }

    var scratchFloats: Int { Int(dnn_convolution_scratch_bytes(handle)) / MemoryLayout<Float>.stride + 16 }

    /// oneDNN's name of the algorithm, and whether activations are reordered around it.
    var implementation: String {
        let name = String(cString: dnn_convolution_implementation(handle))
        return dnn_convolution_reorders(handle) != 0 ? name + " with reorders" : name
    }

    /// Runs it; which tensor is written depends on the direction.
    func run(
        x: Tensor, weights: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>?, y: Tensor,
        scratch: Buffer
    ) throws(EngineError) {
        let status = dnn_convolution_run(
            handle, x.pointer, weights, bias, y.pointer, scratch.pointer)
        guard status == 0 else {
            throw .oneDNN(operation: name, status: String(cString: dnn_status_text(status)))
        }
    }
}
