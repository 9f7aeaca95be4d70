using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Loading;

/// <summary>
/// Loads a model folder: direct from the preferred weights file, else config-first from whatever the folder holds, each
/// candidate by itself and at last all of them together. A load counts only when every parameter is filled with finite
/// numbers of exactly its shape; nothing is ever drawn at random. Reads files of the folder only, starts no process,
/// executes nothing, writes nothing.
/// </summary>
internal sealed class LoadPlan
{
    private readonly ModelLoadOptions _options;
    private readonly FamilyRegistry _families;
    private readonly CancellationToken _cancellationToken;
    private readonly LoadJournal _journal;

    private LoadPlan(ModelLoadOptions options, FamilyRegistry families, CancellationToken cancellationToken)
    {
        _options = options;
        _families = families;
        _cancellationToken = cancellationToken;
        _journal = new LoadJournal(options, TimeProvider.System);
    }

    /// <exception cref="ModelLoadException">No try filled every weight; the report has every one, the first error is the inner cause.</exception>
    public static LoadedNetwork Load(
        ModelLoadOptions options,
        FamilyRegistry families,
        CancellationToken cancellationToken
    )
    {
        var plan = new LoadPlan(options, families, cancellationToken);
        try
        {
            return plan.Load();
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

    private LoadedNetwork Load()
    {
        TorchPlacement.Check(_options);
        ModelFolder folder = ModelFolder.Open(_options.Folder);
        ModelConfiguration configuration = ModelConfiguration.Read(folder.FullPath);
        _journal.Read(configuration);
        IFamily family = FindFamily(configuration);
        using var weights = new OpenWeights(folder);
        var builder = new NetworkBuilder(family, configuration, _options, weights, _cancellationToken);
        (INetwork network, WeightsSummary summary) = Fill(folder.Candidates(), weights, builder);
        return new LoadedNetwork(network, configuration, folder.FullPath, _journal.Loaded(summary));
    }

    private IFamily FindFamily(ModelConfiguration configuration)
    {
        ConfigurationSection root = configuration.Root;
        if (_families.Find(configuration.ModelType) is not { } family)
        {
            throw new LoadRefusedException(
                LoadCodes.ModelTypeUnknown,
                $"{root.File}: model_type '{configuration.ModelType}' is not a family that is known here; expected one of {string.Join(", ", _families.ModelTypes)}. Code that a model folder brings along is never run."
            );
        }

        if (!root.Flag("is_encoder_decoder", defaultValue: true))
        {
            throw root.Refuse("is_encoder_decoder", "false", "true: a sequence-to-sequence model");
        }

        if (root.Has("quantization_config"))
        {
            throw new LoadRefusedException(
                LoadCodes.WeightsQuantized,
                $"{root.File}: the model is quantized ('quantization_config' is set); expected weights in F32, F16, BF16 or F64."
            );
        }

        return family;
    }

    private (INetwork Network, WeightsSummary Summary) Fill(
        IReadOnlyList<WeightsCandidate> candidates,
        OpenWeights weights,
        NetworkBuilder builder
    )
    {
        LoadRefusedException? last = null;
        var sources = new List<WeightSource>();
        foreach (WeightsCandidate candidate in candidates)
        {
            try
            {
                return Fill(candidate, weights, builder, sources);
            }
            catch (LoadRefusedException exception)
            {
                last = exception;
            }
        }

        if (sources.Count < 2)
        {
            throw last!;
        }

        WeightSource together = WeightSource.Together(sources);
        return _journal.Try(LoadStrategy.ConfigFirst, together.Description, () => builder.Build(together));
    }

    private (INetwork Network, WeightsSummary Summary) Fill(
        WeightsCandidate candidate,
        OpenWeights weights,
        NetworkBuilder builder,
        List<WeightSource> sources
    )
    {
        WeightSource? source = null;
        if (candidate.IsPreferred)
        {
            try
            {
                return _journal.Try(
                    LoadStrategy.Direct,
                    candidate.Target,
                    () => builder.Build(source = weights.Open(candidate))
                );
            }
            catch (LoadRefusedException) when (source is not null)
            {
                WeightSource resolved = builder.Resolve(source);
                sources.Add(resolved);
                if (!resolved.Rules.Any())
                {
                    throw;
                }

                return _journal.Try(LoadStrategy.ConfigFirst, candidate.Target, () => builder.Build(resolved));
            }
        }

        return _journal.Try(
            LoadStrategy.ConfigFirst,
            candidate.Target,
            () =>
            {
                WeightSource resolved = builder.Resolve(weights.Open(candidate));
                sources.Add(resolved);
                return builder.Build(resolved);
            }
        );
    }
}
