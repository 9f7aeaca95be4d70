namespace Seq2Seq.Inference.Weights;

/// <summary>
/// How stored names differ from a parameter's own: a wrapper's prefix to strip (<c>module.</c> of DataParallel), one to add
/// (<c>model.</c> where the bare model was saved), or the layer norms' names of TensorFlow days.
/// </summary>
/// <param name="StoredPrefix">What stored names begin with, and parameters don't.</param>
/// <param name="ParameterPrefix">What parameters begin with, and stored names don't.</param>
/// <param name="HasOldNorms">Whether norms are stored as gamma and beta instead of weight and bias.</param>
internal sealed record NameRule(string StoredPrefix, string ParameterPrefix, bool HasOldNorms = false)
{
    private const int MaxRules = 8;
    private const int MaxSampled = 4;

    // DataParallel, torch.compile, Hugging Face's own wrappers, and trainers': they may stand inside one another.
    private static readonly string[] _wrappers =
    [
        "module.",
        "_orig_mod.",
        "model.",
        "transformer.",
        "net.",
        "base_model.",
    ];

    /// <summary>The name under which a parameter may be stored; null when the rule does not apply to it.</summary>
    public string? StoredName(string parameter)
    {
        if (!parameter.StartsWith(ParameterPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        string name = StoredPrefix + parameter[ParameterPrefix.Length..];
        return HasOldNorms ? OldNorm(name) : name;
    }

    /// <summary>What the rule does, for the report.</summary>
    public override string ToString() =>
        HasOldNorms ? "layer norms are stored as gamma and beta"
        : StoredPrefix.Length == 0 ? $"names are stored without '{ParameterPrefix}'"
        : ParameterPrefix.Length == 0 ? $"names are stored with '{StoredPrefix}' in front"
        : $"names are stored with '{StoredPrefix}' instead of '{ParameterPrefix}'";

    /// <summary>Rules that would find missing parameters among the stored names, the most specific first.</summary>
    public static IReadOnlyList<NameRule> Discover(IReadOnlyCollection<string> stored, IEnumerable<string> missing)
    {
        var rules = new List<NameRule>();
        foreach (string parameter in missing.Take(MaxSampled))
        {
            foreach (NameRule rule in Matches(stored, parameter))
            {
                if (rules.Count < MaxRules && !rules.Contains(rule) && IsPlausible(rule, stored))
                {
                    rules.Add(rule);
                }
            }
        }

        if (stored.Any(name => name.EndsWith(".gamma", StringComparison.Ordinal)))
        {
            rules.Add(new NameRule("", "", HasOldNorms: true));
        }

        return rules;
    }

    // The longest end of the parameter's name that a stored name ends with, two parts of it at least.
    private static NameRule[] Matches(IReadOnlyCollection<string> stored, string parameter)
    {
        int minimum = parameter.LastIndexOf('.', Math.Max(0, parameter.LastIndexOf('.') - 1)) + 1;
        for (int start = 0; start >= 0 && start <= minimum; start = NextPart(parameter, start))
        {
            string end = parameter[start..];
            NameRule[] rules =
            [
                .. stored
                    .Where(name => name.EndsWith(end, StringComparison.Ordinal))
                    .Where(name => name.Length == end.Length || name[^(end.Length + 1)] == '.')
                    .Select(name => new NameRule(name[..^end.Length], parameter[..start]))
                    .Take(MaxRules),
            ];
            if (rules.Length > 0)
            {
                return rules;
            }
        }

        return [];
    }

    private static int NextPart(string name, int start)
    {
        int dot = name.IndexOf('.', start);
        return dot < 0 ? -1 : dot + 1;
    }

    // An unknown prefix must stand before every name: half of them may be another model's.
    private static bool IsPlausible(NameRule rule, IReadOnlyCollection<string> stored) =>
        (rule.StoredPrefix.Length > 0 || rule.ParameterPrefix.Length > 0)
        && (
            IsWrapper(rule.StoredPrefix)
            || stored.All(name => name.StartsWith(rule.StoredPrefix, StringComparison.Ordinal))
        );

    private static bool IsWrapper(string prefix)
    {
        while (prefix.Length > 0)
        {
            if (Array.Find(_wrappers, part => prefix.StartsWith(part, StringComparison.Ordinal)) is not { } wrapper)
            {
                return false;
            }

            prefix = prefix[wrapper.Length..];
        }

        return true;
    }

    private static string? OldNorm(string name) =>
        name.EndsWith(".weight", StringComparison.Ordinal) ? $"{name[..^".weight".Length]}.gamma"
        : name.EndsWith(".bias", StringComparison.Ordinal) ? $"{name[..^".bias".Length]}.beta"
        : null;
}
