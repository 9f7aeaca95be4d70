using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights.Pickle;

namespace Seq2Seq.Inference.Weights.Torch;

/// <summary>Finds the state dict in what a checkpoint's pickle holds: the dict itself, or one that a trainer wrapped around it.</summary>
internal static class StateDict
{
    private const int MaxDepth = 3;
    private const int MaxTensors = 1 << 18;

    // Lightning, trainers' own loops, fairseq, exponential moving averages: the first that is there counts.
    private static readonly string[] _wrappers =
    [
        "state_dict",
        "model_state_dict",
        "model",
        "module",
        "net",
        "weights",
    ];

    /// <summary>The tensors by name, in order.</summary>
    /// <exception cref="LoadRefusedException">It holds no dict of tensors by name.</exception>
    public static IReadOnlyList<(string Name, PickleTensor Tensor)> Find(object? root, string file)
    {
        object? value = root;
        for (int depth = 0; depth < MaxDepth && value is PickleDict dict; depth++)
        {
            if (dict.Items.Exists(item => item.Value is PickleTensor))
            {
                return Tensors(dict, file);
            }

            value = _wrappers
                .Select(wrapper => dict.Items.Find(item => item.Key is string key && key == wrapper).Value)
                .FirstOrDefault(inner => inner is PickleDict);
        }

        throw new LoadRefusedException(
            LoadCodes.WeightsCorrupt,
            $"{file}: the pickle holds {Describe(root)}; expected a state dict: tensors by name, at the top or under {string.Join(", ", _wrappers)}."
        );
    }

    private static List<(string Name, PickleTensor Tensor)> Tensors(PickleDict dict, string file)
    {
        var tensors = new List<(string, PickleTensor)>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach ((object? key, object? value) in dict.Items)
        {
            if (value is not PickleTensor tensor)
            {
                continue;
            }

            if (key is not string name || !names.Add(name) || tensors.Count == MaxTensors)
            {
                throw new LoadRefusedException(
                    LoadCodes.WeightsCorrupt,
                    $"{file}: the state dict has a tensor under {DescribeKey(key)}; expected at most {MaxTensors} tensors, each under a name of its own."
                );
            }

            tensors.Add((name, tensor));
        }

        return tensors;
    }

    private static string DescribeKey(object? key) =>
        key is string name ? $"the name '{UntrustedText.Printable(name)}' again" : Describe(key);

    private static string Describe(object? value) =>
        value switch
        {
            null => "None",
            PickleDict => "a dict without tensors",
            PickleList => "a list",
            PickleTuple => "a tuple",
            PickleTensor => "a single tensor",
            string => "a text",
            long => "a whole number",
            _ => $"a {value.GetType().Name}",
        };
}
