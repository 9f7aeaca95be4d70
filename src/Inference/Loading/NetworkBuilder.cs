using Seq2Seq.Inference.Devices;
using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Weights;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Loading;

/// <summary>
/// Builds a family's network on a source of weights: planned on the meta device, built on what is read, and let go of again
/// unless all that was read is found good. torch is loaded with the first plan, so that a folder whose files can't be read is
/// refused without it.
/// </summary>
internal sealed class NetworkBuilder(
    IFamily family,
    ModelConfiguration configuration,
    ModelLoadOptions options,
    OpenWeights files,
    CancellationToken cancellationToken
)
{
    private const int MaxNamed = 5;

    private NetworkOptions Placement => field ??= TorchPlacement.Resolve(options);

    /// <summary>Bytes that a linear layer holds for an element of its weight.</summary>
    private int ElementBytes =>
        ComputeTypeNames.Parse(options.ComputeType) switch
        {
            ComputeType.Int8 => sizeof(sbyte),
            ComputeType.Float16 or ComputeType.BFloat16 => sizeof(ushort),
            _ => sizeof(float),
        };

    /// <exception cref="LoadRefusedException">A parameter can't be filled, or holds what no weight may be; names them.</exception>
    public (INetwork Network, WeightsSummary Summary) Build(WeightSource source)
    {
        // The first plan of a process waits for torch: meanwhile another core touches the memory that comes next.
        TorchLibrary.GrowHeap();
        using PreparedMemory? memory =
            options.Device.IsCuda || Environment.ProcessorCount == 1
                ? null
                : PreparedMemory.Begin(source.MatrixElements * ElementBytes);
        WeightPlan plan = Plan(source);
        if (plan.Problems.Count == 0)
        {
            plan.CheckDroppedLayers();
        }

        ThrowIfAny(plan.Problems);
        memory?.Offer();
        using FilledWeights filled = new(plan, Placement.Device, cancellationToken);
        INetwork network = family.Build(configuration, new WeightScope(filled), Placement);
        try
        {
            (IReadOnlyList<WeightProblem> problems, WeightsSummary summary) = filled.Complete();
            files.CheckUnchanged(filled.Files);
            ThrowIfAny(problems);
            return (network, summary);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The source under the rule that lets it fill every parameter; as it is, where none is needed or none does.</summary>
    public WeightSource Resolve(WeightSource source)
    {
        IReadOnlyList<WeightProblem> problems = Plan(source).Problems;
        string[] missing =
        [
            .. problems.Where(problem => problem.Code == LoadCodes.TensorMissing).Select(problem => problem.Tensor),
        ];
        return missing.Length == 0
            ? source
            : NameRule
                .Discover(source.StoredNames, missing)
                .Select(source.With)
                .FirstOrDefault(renamed => Plan(renamed).Problems.Count == 0, source);
    }

    private WeightPlan Plan(WeightSource source)
    {
        var plan = new WeightPlan(source);
        NetworkOptions meta = Placement with { Device = META, ComputeType = ComputeType.Float32 };
        using var scope = NewDisposeScope();
        try
        {
            family.Build(configuration, new WeightScope(plan), meta).Dispose();
        }
        catch (PlanEndedException)
        {
            // The plan has them.
        }

        return plan;
    }

    private static void ThrowIfAny(IReadOnlyList<WeightProblem> problems)
    {
        if (problems.Count > 0)
        {
            string more =
                problems.Count > MaxNamed ? $" ({problems.Count - MaxNamed} more tensors can't be filled.)" : "";
            throw new LoadRefusedException(
                problems[0].Code,
                string.Join(' ', problems.Take(MaxNamed).Select(problem => problem.Message)) + more
            );
        }
    }
}
