using System.Text.Json;
using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Loading;

/// <summary>
/// Reads a shard index (<c>model.safetensors.index.json</c>, <c>pytorch_model.bin.index.json</c>): which shard holds which
/// tensor. Shards must be files of the model folder by their names alone; no name may lead out of it.
/// </summary>
internal sealed class ShardIndex
{
    private ShardIndex(string name, IReadOnlyDictionary<string, string> shards)
    {
        Name = name;
        ShardByTensor = shards;
    }

    public string Name { get; }

    public IReadOnlyDictionary<string, string> ShardByTensor { get; }

    /// <summary>The shards, each once, in the order of their names.</summary>
    public IEnumerable<string> Shards =>
        ShardByTensor.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    /// <param name="folder">The model folder.</param>
    /// <param name="name">The index's name in it.</param>
    /// <param name="extension">What the shards' names must end with.</param>
    /// <exception cref="LoadRefusedException">It is no index, or names a path that no shard has.</exception>
    public static ShardIndex Read(string folder, string name, string extension)
    {
        JsonElement? map;
        try
        {
            map = ConfigurationFile.Read(folder, name).Find("weight_map");
        }
        catch (LoadRefusedException exception)
        {
            throw Refuse(exception.Message, exception);
        }

        if (map is not { ValueKind: JsonValueKind.Object } shards)
        {
            throw Refuse($"{name}: 'weight_map' is {map?.ValueKind.ToString() ?? "absent"}; expected an object.");
        }

        var byTensor = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty entry in shards.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String)
            {
                throw Refuse(
                    $"{name}: the shard of tensor '{UntrustedText.Printable(entry.Name)}' is {entry.Value.ValueKind}; expected a file name."
                );
            }

            string shard = entry.Value.GetString()!;
            CheckPath(shard, name, extension);
            byTensor[entry.Name] = shard;
        }

        return byTensor.Count > 0
            ? new ShardIndex(name, byTensor)
            : throw Refuse($"{name}: 'weight_map' is empty; expected the shard of every tensor.");
    }

    private static void CheckPath(string shard, string index, string extension)
    {
        bool isInside =
            !Path.IsPathRooted(shard)
            && !shard.AsSpan().ContainsAny('\\', ':')
            && !shard.Any(char.IsControl)
            && Array.TrueForAll(shard.Split('/'), part => part is not ("" or "." or ".."));
        if (!isInside || !shard.EndsWith(extension, StringComparison.Ordinal))
        {
            throw Refuse(
                $"{index} names the shard '{UntrustedText.Printable(shard)}'; expected the name of a {extension} file in the model folder. It was not opened."
            );
        }
    }

    private static LoadRefusedException Refuse(string message, Exception? cause = null) =>
        new(LoadCodes.IndexInvalid, message, cause);
}
