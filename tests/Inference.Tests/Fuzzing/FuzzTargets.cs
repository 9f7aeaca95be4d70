using Seq2Seq.Inference.Tests.Families;
using Seq2Seq.Inference.Tests.Tokenization;

namespace Seq2Seq.Inference.Tests.Fuzzing;

/// <summary>Every target, by its kind.</summary>
internal static class FuzzTargets
{
    private static readonly Dictionary<string, Func<IEnumerable<FuzzTarget>>> _kinds = new(StringComparer.Ordinal)
    {
        ["encode"] = () => ReferenceFolders.All.Select(row => new EncodeTarget(row.Data)),
        ["decode"] = () => ReferenceFolders.All.Select(row => new DecodeTarget(row.Data)),
        ["round-trip"] = () => ReferenceFolders.All.Select(row => new RoundTripTarget(row.Data)),
        ["tokenizer-files"] = () => ReferenceFolders.All.SelectMany(row => TokenizerFileTarget.All(row.Data)),
        ["configuration"] = () =>
            GoldenFamily
                .Names.Select(row => row.Data)
                .SelectMany<string, FuzzTarget>(name =>
                    [
                        new ConfigurationTarget(name, "config.json"),
                        new ConfigurationTarget(name, "generation_config.json"),
                    ]
                ),
        ["weights"] = () => [.. WeightsFileTarget.All(), new ShardIndexTarget()],
    };

    public static IReadOnlyCollection<string> Kinds => _kinds.Keys;

    public static IEnumerable<FuzzTarget> Of(string kind) => _kinds[kind]();
}
