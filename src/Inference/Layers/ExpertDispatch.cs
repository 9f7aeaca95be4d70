using Seq2Seq.Inference.Layers.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Layers;

/// <summary>A row's way through one expert of a sparse feed-forward.</summary>
/// <param name="Row">The row.</param>
/// <param name="Expert">The expert that transforms it.</param>
/// <param name="Weight">Factor of the expert's result.</param>
internal readonly record struct ExpertRoute(int Row, int Expert, float Weight);

/// <summary>
/// Sends rows to the experts of a sparse feed-forward (Shazeer et al. 2017, arXiv 1701.06538) and adds up what comes back:
/// each expert computes once, on all its rows. A row's result does not depend on the others. Belongs to one forward pass:
/// not thread-safe.
/// </summary>
internal sealed class ExpertDispatch(int width, Device device) : IDisposable
{
    private readonly Rows _sent = new(width, device);
    private readonly Rows _returned = new(width, device);

    /// <param name="input"><c>[rows, width]</c></param>
    /// <param name="routes">Of each row none, one or several; sorted here by expert, so that sums have one order.</param>
    /// <param name="expert">Transforms rows of the width by one expert into the second block, which it resizes.</param>
    /// <param name="output"><c>[rows, width]</c>; grows by each route's weighted result.</param>
    public void Forward(Rows input, List<ExpertRoute> routes, Action<int, Rows, Rows> expert, Rows output)
    {
        if (input.Width != width || output.Width != width || output.Count != input.Count)
        {
            throw new ArgumentException(
                $"Experts of width {width} can't take [{input.Count}, {input.Width}] to [{output.Count}, {output.Width}].",
                nameof(output)
            );
        }

        routes.Sort((a, b) => (a.Expert, a.Row).CompareTo((b.Expert, b.Row)));
        int end;
        for (int start = 0; start < routes.Count; start = end)
        {
            end = start + 1;
            while (end < routes.Count && routes[end].Expert == routes[start].Expert)
            {
                end++;
            }

            List<ExpertRoute> own = routes[start..end];
            Gather(input, own);
            expert(own[0].Expert, _sent, _returned);
            Scatter(own, output);
        }
    }

    public void Dispose()
    {
        _sent.Dispose();
        _returned.Dispose();
    }

    private unsafe void Gather(Rows input, List<ExpertRoute> routes)
    {
        _sent.Resize(routes.Count);
        if (input.Pointer is null)
        {
            Tensor target = _sent.Tensor;
            using DisposeScope scope = NewDisposeScope();
            target.copy_(input.Tensor.index_select(0, Indices(routes)));
            return;
        }

        _sent.IsRectified = input.IsRectified;
        for (int i = 0; i < routes.Count; i++)
        {
            input.Row(routes[i].Row).CopyTo(_sent.Row(i));
        }
    }

    private unsafe void Scatter(List<ExpertRoute> routes, Rows output)
    {
        if (output.Pointer is null)
        {
            Tensor target = output.Tensor;
            using DisposeScope scope = NewDisposeScope();
            Tensor weights = tensor([.. routes.Select(route => route.Weight)], device: device).unsqueeze(1);
            target.index_add_(0, Indices(routes), _returned.Tensor * weights, alpha: 1);
            return;
        }

        for (int i = 0; i < routes.Count; i++)
        {
            float* result = _returned.Pointer + ((nint)i * width);
            float* target = output.Pointer + ((nint)routes[i].Row * width);
            Elementwise.Scale(result, routes[i].Weight, target, width, accumulate: true);
        }
    }

    private Tensor Indices(List<ExpertRoute> routes) =>
        tensor([.. routes.Select(route => (long)route.Row)], device: device);
}
