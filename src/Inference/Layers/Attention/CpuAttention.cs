using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers.Kernels;

namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>Attention on the CPU, straight on the memory of projections and caches.</summary>
internal sealed unsafe class CpuAttention(int heads, int headWidth, double scale)
    : MultiHeadAttention(heads, headWidth, scale)
{
    private AlignedBuffer<float>? _scores;

    public override void Encode(Rows projected, SourceBatch source, PositionBias? bias, Rows context)
    {
        context.Resize(projected.Count);
        bias?.Reach(source.LongestLine);
        fixed (int* starts = source.LineStarts)
        fixed (int* lengths = source.LineLengths)
        fixed (int* positions = source.Positions)
        {
            AttentionArguments arguments = Arguments(projected, source.LongestLine, context);
            arguments.Keys = projected.Pointer + Width;
            arguments.Values = projected.Pointer + (2 * Width);
            arguments.Stride = projected.Width;
            arguments.Firsts = starts;
            arguments.Counts = lengths;
            arguments.Positions = positions;
            AddBias(ref arguments, bias);
            AttentionKernel.Attend(ref arguments);
        }
    }

    public override void Remember(Rows projected, SourceBatch source, int layer)
    {
        float* memory = source.Memory.Pointer(layer);
        for (int line = 0; line < source.Lines; line++)
        {
            int start = source.Starts[line];
            long bytes = (long)(source.Starts[line + 1] - start) * projected.Width * sizeof(float);
            Buffer.MemoryCopy(
                projected.Pointer + ((nint)start * projected.Width),
                memory + ((nint)source.MemoryStarts[line] * projected.Width),
                bytes,
                bytes
            );
        }
    }

    public override void Decode(Rows projected, DecoderBatch batch, int layer, PositionBias? bias, Rows context)
    {
        context.Resize(projected.Count);
        bias?.Reach(batch.LongestSequence);
        fixed (int* locations = batch.Locations)
        fixed (int* starts = batch.LocationStarts)
        fixed (int* lengths = batch.Lengths)
        fixed (int* positions = batch.Positions)
        {
            AttentionArguments arguments = Arguments(projected, batch.LongestSequence, context);
            arguments.Keys = batch.Cache.Pointer(layer);
            arguments.Values = arguments.Keys + Width;
            arguments.Stride = 2 * Width;
            arguments.Locations = locations;
            arguments.Firsts = starts;
            arguments.Counts = lengths;
            arguments.Positions = positions;
            arguments.NewKeyValue = projected.Pointer + Width;
            AddBias(ref arguments, bias);
            AttentionKernel.Attend(ref arguments);
        }
    }

    public override void Recall(Rows query, DecoderBatch batch, int layer, Rows context)
    {
        context.Resize(query.Count);
        fixed (int* starts = batch.MemoryStarts)
        fixed (int* lengths = batch.MemoryLengths)
        {
            AttentionArguments arguments = Arguments(query, batch.LongestMemory, context);
            arguments.Keys = batch.Memory.Pointer(layer);
            arguments.Values = arguments.Keys + Width;
            arguments.Stride = 2 * Width;
            arguments.Firsts = starts;
            arguments.Counts = lengths;
            AttentionKernel.Attend(ref arguments);
        }
    }

    protected override void Dispose(bool disposing)
    {
        _scores?.Dispose();
        base.Dispose(disposing);
    }

    private AttentionArguments Arguments(Rows query, int mostKeys, Rows context)
    {
        nint scores = (nint)mostKeys * AttentionKernel.PadHeads(Heads);
        return new AttentionArguments
        {
            Rows = query.Count,
            Heads = Heads,
            HeadWidth = HeadWidth,
            Scale = Scale,
            Query = query.Pointer,
            QueryStride = query.Width,
            Scores = Scores(scores * ComputeTeam.CurrentCount),
            ScoresPerPart = scores,
            Context = context.Pointer,
        };
    }

    private static void AddBias(ref AttentionArguments arguments, PositionBias? bias)
    {
        if (bias is not null)
        {
            arguments.Bias = bias.AtZero;
            arguments.BiasStride = bias.Stride;
        }
    }

    private float* Scores(nint length)
    {
        if (_scores is null || _scores.Length < length)
        {
            _scores?.Dispose();
            _scores = new AlignedBuffer<float>(2 * length);
        }

        return _scores.Pointer;
    }
}
