using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>Attention on torch's operators, for every device: groups are gathered, padded to the longest and masked.</summary>
internal sealed class TorchAttention(int heads, int headWidth, float scale) : Attention(heads, headWidth, scale)
{
    public override void Encode(Rows projections, AttentionPlan lines, DistanceBias? bias, Rows output)
    {
        Check(projections, 3 * Width, lines, bias, output);
        using DisposeScope scope = NewDisposeScope();
        Tensor all = projections.Tensor;
        Attend(all.narrow(1, 0, Width), all.narrow(1, Width, 2 * Width), lines, bias, output);
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
        if (projections.Count == 0)
        {
            return;
        }

        using DisposeScope scope = NewDisposeScope();
        Tensor all = projections.Tensor;
        PlanTensors plan = hypotheses.TensorsOn(all.device);
        Tensor memory = cache.Layer(layer).Tensor;
        // A row's own slot is that of its position.
        Tensor slots = plan.Keys.gather(1, plan.Positions.to_type(ScalarType.Int64)).flatten();
        Tensor stored = slots.index_select(0, plan.RowOrder);
        memory.index_copy_(0, stored, all.narrow(1, Width, 2 * Width));
        Attend(all.narrow(1, 0, Width), memory, hypotheses, bias, output);
    }

    public override void Cross(Rows queries, KeyValueCache cache, int layer, AttentionPlan sources, Rows output)
    {
        Check(queries, Width, sources, bias: null, output);
        Check(cache, sources);
        using DisposeScope scope = NewDisposeScope();
        Attend(queries.Tensor, cache.Layer(layer).Tensor, sources, bias: null, output);
    }

    private void Attend(Tensor queries, Tensor memory, AttentionPlan plan, DistanceBias? bias, Rows output)
    {
        if (plan.RowCount == 0)
        {
            return;
        }

        PlanTensors tensors = plan.TensorsOn(queries.device);
        long groups = tensors.Rows.shape[0];
        Tensor padded = queries.index_select(0, tensors.Rows.flatten());
        Tensor gathered = memory.index_select(0, tensors.Keys.flatten());
        // [groups, heads, rows or keys, head width]
        Tensor q = padded.view(groups, -1, Heads, HeadWidth).transpose(1, 2);
        Tensor k = gathered.narrow(1, 0, Width).reshape(groups, -1, Heads, HeadWidth).transpose(1, 2);
        Tensor v = gathered.narrow(1, Width, Width).reshape(groups, -1, Heads, HeadWidth).transpose(1, 2);
        Tensor scores = q.matmul(k.transpose(2, 3)).mul_(Scale);
        if (bias is not null)
        {
            scores.add_(BiasOf(bias, tensors, plan.MaxLength));
        }

        // A finite value: rows of the padding see nothing, and a softmax over −∞ alone is NaN.
        scores.masked_fill_(tensors.Hidden, -1e30f);
        Tensor context = scores.softmax(-1).matmul(v).transpose(1, 2).reshape(-1, Width);
        output.Tensor.copy_(context.index_select(0, tensors.RowOrder));
    }

    /// <summary>The bias of every row and key: <c>[groups, heads, rows, length]</c>.</summary>
    private unsafe Tensor BiasOf(DistanceBias bias, PlanTensors tensors, int length)
    {
        DistanceTable table = bias.TableFor(length - 1);
        int distances = (2 * length) - 1;
        float[] values = new float[Heads * distances];
        for (int head = 0; head < Heads; head++)
        {
            new ReadOnlySpan<float>(table.At(head, -(length - 1)), distances).CopyTo(values.AsSpan(head * distances));
        }

        GC.KeepAlive(table);
        Device device = tensors.Keys.device;
        Tensor byDistance = tensor(values, [Heads, distances], device: device);
        Tensor keys = arange(length, ScalarType.Int64, device);
        Tensor distance = keys - tensors.Positions.to_type(ScalarType.Int64).unsqueeze(-1) + (length - 1);
        Tensor picked = byDistance.index_select(1, distance.flatten());
        return picked.view([Heads, .. distance.shape]).transpose(0, 1);
    }
}
