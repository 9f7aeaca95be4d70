using System.Runtime.CompilerServices;
using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers.Kernels;
using Seq2Seq.Inference.Layers.Matrices;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>The linear layer on the CPU that multiplies in float32, whatever format the packed weights are held in.</summary>
internal sealed unsafe class PackedLinear<TTiles, TFormat> : CpuLinear
    where TTiles : ITiles
    where TFormat : struct, IWeightFormat
{
    private const int MultiplicationsWorthATeam = 256 * 1024;

    private readonly AlignedBuffer<byte> _packed;
    private readonly AlignedBuffer<float>? _scales;
    private readonly AlignedBuffer<float>? _bias;
    private readonly int _panels;

    public PackedLinear(WeightMatrix weight, Tensor? bias, float scale = 1)
        : base(weight.Columns, weight.Rows)
    {
        _panels = Gemm<TTiles, TFormat>.PanelCount(OutFeatures);
        int columns = _panels * TTiles.Width;
        _packed = new AlignedBuffer<byte>(
            Gemm<TTiles, TFormat>.PackedBytes(OutFeatures, InFeatures),
            isZeroed: false,
            isWeight: true
        );
        _scales = TFormat.HasScales ? new AlignedBuffer<float>(columns) : null;
        _bias = Padded(bias, columns);
        Gemm<TTiles, TFormat>.Pack(weight, scale, _packed.Pointer, _scales is null ? null : _scales.Pointer);
    }

    public override bool HoldsWeights => typeof(TFormat) == typeof(Float32Format);

    public override void ReadWeights(int output, float scale, float* destination, bool accumulate)
    {
        if (!HoldsWeights)
        {
            base.ReadWeights(output, scale, destination, accumulate);
        }

        nint panel = (nint)(output / TTiles.Width) * InFeatures * TTiles.Width;
        float* weight = (float*)_packed.Pointer + panel + (output % TTiles.Width);
        for (int i = 0; i < InFeatures; i++)
        {
            float product = weight[(nint)i * TTiles.Width] * scale;
            destination[i] = accumulate ? product + destination[i] : product;
        }

        GC.KeepAlive(this);
    }

    public override ReadOnlySpan<float> Bias => _bias is null ? [] : _bias.Span[..OutFeatures];

    [SkipLocalsInit]
    public override void ForwardSome(float* input, ReadOnlySpan<int> outputs, float* destination)
    {
        float* results = stackalloc float[TTiles.Width];
        int computed = -1;
        foreach (int output in outputs)
        {
            int panel = output / TTiles.Width;
            int column = panel * TTiles.Width;
            if (panel != computed)
            {
                GemmArguments product = ArgumentsOf(input, rows: 1, results - column);
                Gemm<TTiles, TFormat>.Multiply(in product, panel, panel + 1);
                computed = panel;
            }

            destination[output] = results[output - column];
        }

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
        Work work = new()
        {
            Product = ArgumentsOf(input, rows, output) with
            {
                Relu = activation == Activation.Relu,
                Accumulate = accumulate,
            },
            Activation = activation,
            Panels = _panels,
        };
        int weightRowBytes = TTiles.Width * TFormat.WeightBytes;
        work.IsSparse = mayBeSparse && SparseRows.TryFind(input, rows, InFeatures, weightRowBytes, out work.Sparse);
        ComputeTeam.Run(&MultiplyChunk, &work, Chunks(rows, _panels, MultiplicationsWorthATeam));
        GC.KeepAlive(this);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _packed.Dispose();
            _scales?.Dispose();
            _bias?.Dispose();
        }

        base.Dispose(disposing);
    }

    private GemmArguments ArgumentsOf(float* input, int rows, float* output) =>
        new()
        {
            Input = input,
            InputStride = InFeatures,
            Rows = rows,
            Depth = InFeatures,
            Packed = _packed.Pointer,
            Scales = _scales is null ? null : _scales.Pointer,
            Bias = _bias is null ? null : _bias.Pointer,
            Output = output,
            OutputStride = OutFeatures,
            Columns = OutFeatures,
        };

    private static void MultiplyChunk(void* state, int chunk, int chunks)
    {
        Work* work = (Work*)state;
        ref readonly GemmArguments product = ref work->Product;
        int from = (int)((long)work->Panels * chunk / chunks);
        int to = (int)((long)work->Panels * (chunk + 1) / chunks);
        if (work->IsSparse)
        {
            Gemm<TTiles, TFormat>.MultiplySparse(in product, in work->Sparse, from, to);
        }
        else
        {
            Gemm<TTiles, TFormat>.Multiply(in product, from, to);
        }

        int lastColumn = Math.Min(to * TTiles.Width, product.Columns);
        Activate(work->Activation, product.Output, product.Rows, product.Columns, from * TTiles.Width, lastColumn);
    }

    private struct Work
    {
        public GemmArguments Product;
        public bool IsSparse;
        public SparseRows Sparse;
        public Activation Activation;
        public int Panels;
    }
}
