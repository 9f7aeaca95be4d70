using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Layers.Kernels;

namespace Seq2Seq.Inference.Layers;

/// <summary>
/// Attention on the CPU, on the caches' own memory: nothing is gathered, padded or copied. A row's result is the same bits
/// whatever rows are computed beside it, on however many threads.
/// </summary>
internal sealed unsafe class CpuAttention(int heads, int headWidth, float scale) : Attention(heads, headWidth, scale)
{
    public override void Encode(Rows projections, AttentionPlan lines, DistanceBias? bias, Rows output)
    {
        Check(projections, 3 * Width, lines, bias, output);
        AttentionArguments arguments = Arguments(projections, output);
        arguments.Keys = projections.Pointer + Width;
        arguments.KeyStride = 3 * Width;
        Run(ref arguments, lines, bias);
    }

    public override void Decode(
        Rows projections,
        KeyValueCache cache,
        int layer,
        AttentionPlan hypotheses,
        DistanceBias? bias,
        Rows output
    )
    {
        Check(projections, 3 * Width, hypotheses, bias, output);
        Check(cache, hypotheses);
        AttentionArguments arguments = Arguments(projections, output);
        arguments.Keys = cache.Layer(layer).Pointer;
        arguments.KeyStride = 2 * Width;
        arguments.NewKeys = projections.Pointer + Width;
        Run(ref arguments, hypotheses, bias);
    }

    public override void Cross(Rows queries, KeyValueCache cache, int layer, AttentionPlan sources, Rows output)
    {
        Check(queries, Width, sources, bias: null, output);
        Check(cache, sources);
        AttentionArguments arguments = Arguments(queries, output);
        arguments.Keys = cache.Layer(layer).Pointer;
        arguments.KeyStride = 2 * Width;
        Run(ref arguments, sources, bias: null);
    }

    private AttentionArguments Arguments(Rows queries, Rows output) =>
        new()
        {
            Queries = queries.Pointer,
            QueryStride = queries.Width,
            Output = output.Pointer,
            Heads = Heads,
            HeadWidth = HeadWidth,
            Scale = Scale,
        };

    private static void Run(ref AttentionArguments arguments, AttentionPlan plan, DistanceBias? bias)
    {
        DistanceTable? table = bias?.TableFor(plan.MaxLength - 1);
        fixed (AttentionGroup* groups = plan.Groups)
        fixed (int* slots = plan.Slots)
        fixed (AttentionArguments* pointer = &arguments)
        {
            arguments.Groups = groups;
            arguments.GroupCount = plan.Groups.Length;
            arguments.Slots = slots;
            arguments.MaxLength = plan.MaxLength;
            if (table is not null)
            {
                arguments.Bias = table.At(head: 0, distance: 0);
                arguments.BiasStride = table.Stride;
            }

            ComputeTeam.Run(&AttentionKernel.Run, pointer);
        }

        GC.KeepAlive(table);
    }
}
