using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers.Kernels;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// The linear layer in float32 on the CPU, on packed weights and tiles of our own. A row's result is the same bits
/// whatever rows are computed beside it, on however many threads. The weight's tensor isn't needed after packing.
/// </summary>
internal sealed unsafe class PackedLinear<TTiles> : Linear
    where TTiles : IFloat32Tiles
{
    private const int ChunksPerThread = 4;

    /// <summary>Some microseconds of one thread: below, handing work over costs more than it saves.</summary>
    private const int MultiplicationsWorthATeam = 256 * 1024;

    private readonly AlignedBuffer<float> _packed;
    private readonly AlignedBuffer<float>? _bias;

    public PackedLinear(Tensor weight, Tensor? bias)
        : base((int)weight.shape[1], (int)weight.shape[0])
    {
        int panels = Float32Gemm<TTiles>.PanelCount(OutFeatures);
        using Tensor source = weight.contiguous();
        _packed = new AlignedBuffer<float>((nint)panels * TTiles.Width * InFeatures);
        Float32Gemm<TTiles>.Pack(source.FloatPointer(), OutFeatures, InFeatures, _packed.Pointer);
        if (bias is not null)
        {
            using Tensor values = bias.contiguous();
            _bias = new AlignedBuffer<float>(panels * TTiles.Width);
            values.FloatSpan().CopyTo(_bias.Span);
        }
    }

    public override Tensor Forward(Tensor input)
    {
        using Tensor rows = input.contiguous();
        Tensor output = empty([.. input.shape[..^1], OutFeatures], dtype: ScalarType.Float32);
        Multiply(
            rows.FloatPointer(),
            checked((int)(rows.numel() / InFeatures)),
            output.FloatPointer(),
            Activation.Identity,
            accumulate: false
        );
        return output;
    }

    public override void Forward(
        Rows input,
        Rows output,
        Activation activation = Activation.Identity,
        bool accumulate = false
    )
    {
        PrepareOutput(input, output, accumulate);
        Multiply(input.Pointer, input.Count, output.Pointer, activation, accumulate);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _packed.Dispose();
            _bias?.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Multiply(float* input, int rows, float* output, Activation activation, bool accumulate)
    {
        if (rows == 0)
        {
            return;
        }

        LinearWork work = new()
        {
            Product = new GemmArguments
            {
                Input = input,
                InputStride = InFeatures,
                Rows = rows,
                Depth = InFeatures,
                Packed = _packed.Pointer,
                Bias = _bias is null ? null : _bias.Pointer,
                Output = output,
                OutputStride = OutFeatures,
                Columns = OutFeatures,
                Relu = activation == Activation.Relu,
                Accumulate = accumulate,
            },
            Activation = activation == Activation.Relu ? Activation.Identity : activation,
        };
        ComputeTeam.Run(&MultiplyChunk, &work, Chunks(rows));
        GC.KeepAlive(this);
    }

    /// <summary>A few chunks a thread, so that one that is held up leaves its share to the others; one where work is short.</summary>
    private int Chunks(int rows)
    {
        int threads = ComputeTeam.CurrentCount;
        bool isShort = (long)rows * InFeatures * OutFeatures < MultiplicationsWorthATeam;
        return threads == 1 || isShort
            ? 1
            : Math.Min(ChunksPerThread * threads, Float32Gemm<TTiles>.PanelCount(OutFeatures));
    }

    private static void MultiplyChunk(void* state, int chunk, int chunks)
    {
        LinearWork* work = (LinearWork*)state;
        ref readonly GemmArguments product = ref work->Product;
        int panels = Float32Gemm<TTiles>.PanelCount(product.Columns);
        int from = (int)((long)panels * chunk / chunks);
        int to = (int)((long)panels * (chunk + 1) / chunks);
        Float32Gemm<TTiles>.Multiply(in product, from, to);
        if (work->Activation != Activation.Identity)
        {
            int column = from * TTiles.Width;
            int columns = Math.Min(to * TTiles.Width, product.Columns) - column;
            for (int row = 0; row < product.Rows; row++)
            {
                Elementwise.Apply(work->Activation, product.Output + (row * product.OutputStride) + column, columns);
            }
        }
    }

    private struct LinearWork
    {
        public GemmArguments Product;
        public Activation Activation;
    }
}
