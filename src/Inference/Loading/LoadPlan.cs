using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Weights;
using static TorchSharp.torch;

namespace Seq2Seq.Inference.Loading;

/// <summary>
/// Loads a model folder: direct from the preferred weights file, else config-first from whatever the folder holds. A load
/// counts only when every parameter is filled with finite numbers of exactly its shape; nothing is ever drawn at random.
/// Reads files of the folder only, starts no process, writes nothing.
/// </summary>
internal sealed class LoadPlan
{
    private readonly ModelLoadOptions _options;
    private readonly FamilyRegistry _families;
    private readonly LoadJournal _journal;

    private LoadPlan(ModelLoadOptions options, FamilyRegistry families)
    {
        _options = options;
        _families = families;
        _journal = new LoadJournal(options, TimeProvider.System);
    }

    /// <exception cref="ModelLoadException">No try filled every weight; the report has every one, the first error is the inner cause.</exception>
    public static LoadedNetwork Load(
        ModelLoadOptions options,
        FamilyRegistry families,
        CancellationToken cancellationToken
    )
    {
        var plan = new LoadPlan(options, families);
        try
        {
            return plan.Load(cancellationToken);
        }
        catch (ModelConfigurationException exception)
        {
            throw plan._journal.Refuse(new LoadRefusedException(LoadCodes.ConfigInvalid, exception.Message, exception));
        }
        catch (LoadRefusedException exception)
        {
            throw plan._journal.Refuse(exception);
        }
    }

    private LoadedNetwork Load(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_options.Folder))
        {
            throw new LoadRefusedException(
                LoadCodes.FolderInvalid,
                File.Exists(_options.Folder)
                    ? $"'{_options.Folder}' is a file; expected a model folder."
                    : $"'{_options.Folder}' does not exist; expected a model folder."
            );
        }

        NetworkOptions network = TorchPlacement.Resolve(_options);
        ModelConfiguration configuration = ModelConfiguration.Read(_options.Folder);
        _journal.Read(configuration);
        IFamily family =
            _families.Find(configuration.ModelType)
            ?? throw new LoadRefusedException(
                LoadCodes.ModelTypeUnknown,
                $"{ModelConfiguration.FileName}: model_type '{configuration.ModelType}' is not a family that is known here; expected one of {string.Join(", ", _families.ModelTypes)}."
            );

        const string Preferred = "model.safetensors";
        (INetwork built, WeightsSummary weights) = _journal.Try(
            LoadStrategy.Direct,
            Preferred,
            () =>
            {
                using var file = WeightsFile.Open(Path.Join(_options.Folder, Preferred), Preferred);
                return Build(family, configuration, WeightSource.Of(file), network, cancellationToken);
            }
        );
        return new LoadedNetwork(built, configuration, _options.Folder, _journal.Loaded(weights));
    }

    private static (INetwork Network, WeightsSummary Weights) Build(
        IFamily family,
        ModelConfiguration configuration,
        WeightSource source,
        NetworkOptions options,
        CancellationToken cancellationToken
    )
    {
        var plan = new WeightPlan(source);
        BuildOnMeta(family, configuration, plan, options);
        ThrowIfAny(plan.Problems);
        using FilledWeights filled = FilledWeights.Read(plan, options.Device, cancellationToken);
        ThrowIfAny(filled.Problems);
        return (family.Build(configuration, new WeightScope(filled), options), filled.Summary);
    }

    private static void BuildOnMeta(
        IFamily family,
        ModelConfiguration configuration,
        WeightPlan plan,
        NetworkOptions options
    )
    {
        using var scope = NewDisposeScope();
        try
        {
            family.Build(configuration, new WeightScope(plan), options with { Device = META }).Dispose();
        }
        catch (TooManyProblemsException)
        {
            // The plan has them.
        }
    }

    private static void ThrowIfAny(IReadOnlyList<WeightProblem> problems)
    {
        const int MaxNamed = 5;
        if (problems.Count > 0)
        {
            string more =
                problems.Count > MaxNamed ? $" ({problems.Count - MaxNamed} more tensors can't be filled)" : "";
            throw new LoadRefusedException(
                problems[0].Code,
                string.Join(' ', problems.Take(MaxNamed).Select(problem => problem.Message)) + more
            );
        }
    }
}
