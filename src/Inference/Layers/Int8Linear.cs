using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers.Kernels;
using Seq2Seq.Inference.Layers.Matrices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// The linear layer on the CPU in 8 bits: weights with a scale for each output, inputs quantised row by row as they come.
/// Its results differ from float32's by a percent or two.
/// </summary>
internal sealed unsafe class Int8Linear<TArithmetic> : CpuLinear
    where TArithmetic : struct, IInt8Arithmetic
{
    private const int MultiplicationsWorthATeam = 1024 * 1024;

    /// <summary>Fewer values than this are no work to share.</summary>
    private const int QuantisedPerChunk = 32 * 1024;

    [ThreadStatic]
    private static AlignedBuffer<byte>? s_scratch;

    private readonly AlignedBuffer<sbyte> _packed;
    private readonly AlignedBuffer<float> _scales;
    private readonly AlignedBuffer<float> _sums;
    private readonly AlignedBuffer<float>? _bias;
    private readonly int _panels;

    public Int8Linear(WeightMatrix weight, Tensor? bias, float scale = 1)
        : base(weight.Columns, weight.Rows)
    {
        _panels = Int8Gemm<TArithmetic>.PanelCount(OutFeatures);
        int columns = _panels * Int8Tiles<TArithmetic>.Width;
        _packed = new AlignedBuffer<sbyte>(
            (nint)columns * Int8Gemm<TArithmetic>.PaddedDepth(InFeatures),
            isWeight: true
        );
        _scales = new AlignedBuffer<float>(columns);
        _sums = new AlignedBuffer<float>(columns);
        _bias = Padded(bias, columns);
        Int8Gemm<TArithmetic>.Pack(weight, scale, _packed.Pointer, _scales.Pointer, _sums.Pointer);
    }

    /// <summary>Reads the weights of one output as they were quantised.</summary>
    public override void ReadWeights(int output, float scale, float* destination, bool accumulate)
    {
        Int8Gemm<TArithmetic>.Unpack(
            _packed.Pointer,
            output,
            _scales.Pointer[output] * scale,
            InFeatures,
            destination,
            accumulate
        );
        GC.KeepAlive(this);
    }

    protected override void Multiply(
        float* input,
        int rows,
        float* output,
        Activation activation,
        bool accumulate,
        bool mayBeSparse
    )
    {
        nint quantisedBytes = (nint)rows * Int8Gemm<TArithmetic>.PaddedDepth(InFeatures);
        byte* scratch = Scratch(quantisedBytes + ((nint)rows * 2 * sizeof(float)));
        Work work = new()
        {
            Product = new Int8GemmArguments
            {
                Input = input,
                Rows = rows,
                Depth = InFeatures,
                Quantised = scratch,
                ScalesAndOffsets = (float*)(scratch + quantisedBytes),
                Packed = _packed.Pointer,
                Scales = _scales.Pointer,
                Sums = _sums.Pointer,
                Bias = _bias is null ? null : _bias.Pointer,
                Output = output,
                Columns = OutFeatures,
                Relu = activation == Activation.Relu,
                Accumulate = accumulate,
            },
            Activation = activation,
            Panels = _panels,
        };
        ComputeTeam.Run(&QuantiseChunk, &work, (int)Math.Max(1, (long)rows * InFeatures / QuantisedPerChunk));
        ComputeTeam.Run(&MultiplyChunk, &work, Chunks(rows, _panels, MultiplicationsWorthATeam));
        GC.KeepAlive(this);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _packed.Dispose();
            _scales.Dispose();
            _sums.Dispose();
            _bias?.Dispose();
        }

        base.Dispose(disposing);
    }

    private static byte* Scratch(nint bytes)
    {
        if (s_scratch is null || s_scratch.Length < bytes)
        {
            s_scratch?.Dispose();
            s_scratch = new AlignedBuffer<byte>(bytes + (bytes / 2));
        }

        return s_scratch.Pointer;
    }

    private static void QuantiseChunk(void* state, int chunk, int chunks)
    {
        Work* work = (Work*)state;
        int rows = work->Product.Rows;
        int from = (int)((long)rows * chunk / chunks);
        int to = (int)((long)rows * (chunk + 1) / chunks);
        Int8Gemm<TArithmetic>.Quantise(in work->Product, from, to);
    }

    private static void MultiplyChunk(void* state, int chunk, int chunks)
    {
        Work* work = (Work*)state;
        ref readonly Int8GemmArguments product = ref work->Product;
        int from = (int)((long)work->Panels * chunk / chunks);
        int to = (int)((long)work->Panels * (chunk + 1) / chunks);
        Int8Gemm<TArithmetic>.Multiply(in product, from, to);
        int column = from * Int8Tiles<TArithmetic>.Width;
        int lastColumn = Math.Min(to * Int8Tiles<TArithmetic>.Width, product.Columns);
        Activate(work->Activation, product.Output, product.Rows, product.Columns, column, lastColumn);
    }

    private struct Work
    {
        public Int8GemmArguments Product;
        public Activation Activation;
        public int Panels;
    }
}
