using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Names of Hangfire's queues: the priority's digit, a dash, then the model. Sorted names are thus sorted by priority, which is
/// the order in which any Hangfire server serves them. A model's name that Hangfire would refuse is spelled with what it
/// takes (a–z, 0–9, dash, underscore) and told from others by a digest.
/// </summary>
internal static class ShardQueue
{
    public const int HighestPriority = 0;
    public const int LowestPriority = 9;

    private const string DigestMark = "--";
    private const int DigestDigits = 12;

    public static string Name(int priority, string model)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(priority, HighestPriority);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(priority, LowestPriority);
        return string.Create(CultureInfo.InvariantCulture, $"{priority}-{ModelPart(model)}");
    }

    /// <summary>Every queue that can hold shards of these models.</summary>
    public static string[] Names(IEnumerable<string> models) =>
        [
            .. models
                .SelectMany(model =>
                    Enumerable
                        .Range(HighestPriority, LowestPriority - HighestPriority + 1)
                        .Select(priority => Name(priority, model))
                )
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>What stands for the model in the name; the model's own name where Hangfire takes it.</summary>
    public static string ModelPart(string model)
    {
        // A name that looks as if it bore a digest gets one too, so that it can't pass for another's.
        if (model.Length > 0 && model.All(IsAllowed) && !model.Contains(DigestMark, StringComparison.Ordinal))
        {
            return model;
        }

        string spelled = string.Concat(model.ToLowerInvariant().Select(c => IsAllowed(c) ? c : '-'));
        string digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(model)));
        return $"{spelled}{DigestMark}{digest[..DigestDigits]}";
    }

    /// <summary>The model's part of a queue's name, for showing.</summary>
    public static string ModelOf(string queue) => queue[(queue.IndexOf('-', StringComparison.Ordinal) + 1)..];

    private static bool IsAllowed(char c) => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_';
}
