using Seq2Seq.Inference.Layers.Kernels;

namespace Seq2Seq.Inference.Layers.Attention;

/// <summary>Attention on the CPU, straight on the memory of projections and caches; the team shares queries out.</summary>
internal sealed unsafe class CpuAttention(int heads, int headWidth, double scale)
    : MultiHeadAttention(heads, headWidth, scale)
{
    private AlignedBuffer<float>? _scores;

    public override void Encode(Rows projected, SourceBatch source, PositionBias? bias, Rows context)
    {
        context.Resize(projected.Count);
        bias?.Reach(source.LongestLine);
        fixed (int* starts = source.Starts)
        {
            for (int line = 0; line < source.Lines; line++)
            {
                EncodeLine(projected, starts[line], starts[line + 1] - starts[line], bias, context);
            }
        }
    }

    public override void Remember(Rows projected, SourceBatch source, int layer)
    {
        float* memory = source.Memory.Pointer(layer);
        for (int line = 0; line < source.Lines; line++)
        {
            int start = source.Starts[line];
            long floats = (long)(source.Starts[line + 1] - start) * projected.Width;
            Buffer.MemoryCopy(
                projected.Pointer + ((nint)start * projected.Width),
                memory + ((nint)source.MemoryStarts[line] * projected.Width),
                floats * sizeof(float),
                floats * sizeof(float)
            );
        }
    }

    public override void Decode(Rows projected, DecoderBatch batch, int layer, PositionBias? bias, Rows context)
    {
        context.Resize(projected.Count);
        bias?.Reach(batch.LongestSequence);
        float* cache = batch.Cache.Pointer(layer);
        float* scores = Scores(batch.LongestSequence);
        ReadOnlySpan<int> starts = batch.LocationStarts;
        fixed (int* locations = batch.Locations)
        {
            for (int row = 0; row < batch.Count; row++)
            {
                float* query = projected.Pointer + ((nint)row * projected.Width);
                int* own = locations + starts[row];
                int position = batch.Positions[row];
                new ReadOnlySpan<float>(query + Width, 2 * Width).CopyTo(
                    new Span<float>(cache + ((nint)own[position] * 2 * Width), 2 * Width)
                );
                float* result = context.Pointer + ((nint)row * Width);
                for (int head = 0; head < Heads; head++)
                {
                    AttentionArguments arguments = new()
                    {
                        Query = query + (head * HeadWidth),
                        Keys = cache + (head * HeadWidth),
                        Values = cache + Width + (head * HeadWidth),
                        Stride = 2 * Width,
                        Locations = own,
                        Count = position + 1,
                        HeadWidth = HeadWidth,
                        Scale = Scale,
                        Bias = bias is null ? null : bias.Of(head, position),
                        Scores = scores,
                        Context = result + (head * HeadWidth),
                    };
                    AttentionKernel.Attend(in arguments);
                }
            }
        }
    }

    public override void Recall(Rows query, DecoderBatch batch, int layer, Rows context)
    {
        context.Resize(query.Count);
        float* memory = batch.Memory.Pointer(layer);
        float* scores = Scores(batch.LongestMemory);
        for (int row = 0; row < batch.Count; row++)
        {
            float* keys = memory + ((nint)batch.MemoryStarts[row] * 2 * Width);
            for (int head = 0; head < Heads; head++)
            {
                AttentionArguments arguments = new()
                {
                    Query = query.Pointer + ((nint)row * Width) + (head * HeadWidth),
                    Keys = keys + (head * HeadWidth),
                    Values = keys + Width + (head * HeadWidth),
                    Stride = 2 * Width,
                    Locations = null,
                    Count = batch.MemoryLengths[row],
                    HeadWidth = HeadWidth,
                    Scale = Scale,
                    Bias = null,
                    Scores = scores,
                    Context = context.Pointer + ((nint)row * Width) + (head * HeadWidth),
                };
                AttentionKernel.Attend(in arguments);
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        _scores?.Dispose();
        base.Dispose(disposing);
    }

    private void EncodeLine(Rows projected, int start, int length, PositionBias? bias, Rows context)
    {
        float* line = projected.Pointer + ((nint)start * projected.Width);
        float* scores = Scores(length);
        for (int position = 0; position < length; position++)
        {
            for (int head = 0; head < Heads; head++)
            {
                AttentionArguments arguments = new()
                {
                    Query = line + ((nint)position * projected.Width) + (head * HeadWidth),
                    Keys = line + Width + (head * HeadWidth),
                    Values = line + (2 * Width) + (head * HeadWidth),
                    Stride = projected.Width,
                    Locations = null,
                    Count = length,
                    HeadWidth = HeadWidth,
                    Scale = Scale,
                    Bias = bias is null ? null : bias.Of(head, position),
                    Scores = scores,
                    Context = context.Pointer + ((nint)(start + position) * Width) + (head * HeadWidth),
                };
                AttentionKernel.Attend(in arguments);
            }
        }
    }

    private float* Scores(int length)
    {
        if (_scores is null || _scores.Span.Length < length)
        {
            _scores?.Dispose();
            _scores = new AlignedBuffer<float>(Math.Max(256, 2 * length));
        }

        return _scores.Pointer;
    }
}
