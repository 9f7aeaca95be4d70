using Seq2Seq.Inference.Weights;

namespace Seq2Seq.Inference.Loading;

/// <summary>The weights files of one load: each is opened once, however many tries use it, and closed at the end.</summary>
internal sealed class OpenWeights(ModelFolder folder) : IDisposable
{
    private readonly Dictionary<string, WeightsFile> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LoadRefusedException> _failures = new(StringComparer.Ordinal);

    /// <summary>Opens what a candidate names, and offers its tensors.</summary>
    /// <exception cref="LoadRefusedException">A file or the index can't be used.</exception>
    public WeightSource Open(WeightsCandidate candidate) =>
        candidate.IndexExtension is { } extension
            ? OpenIndex(ShardIndex.Read(folder.FullPath, candidate.Target, extension))
            : new WeightSource(candidate.Target, candidate.Files.SelectMany(name => OpenFile(name).Tensors));

    /// <exception cref="LoadRefusedException">A file was written to since it was opened.</exception>
    public void CheckUnchanged(IEnumerable<string> files)
    {
        foreach (string file in files)
        {
            _files[file].CheckUnchanged();
        }
    }

    public void Dispose()
    {
        foreach (WeightsFile file in _files.Values)
        {
            file.Dispose();
        }
    }

    // The index alone says which shard's tensor counts, where several shards hold one of that name.
    private WeightSource OpenIndex(ShardIndex index)
    {
        var shards = index.Shards.ToDictionary(
            shard => shard,
            shard => OpenFile(shard).Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal),
            StringComparer.Ordinal
        );
        var tensors = new List<StoredTensor>();
        foreach ((string name, string shard) in index.ShardByTensor)
        {
            tensors.Add(
                shards[shard].GetValueOrDefault(name)
                    ?? throw new LoadRefusedException(
                        LoadCodes.IndexInvalid,
                        $"{index.Name} says that tensor '{UntrustedText.Printable(name)}' is in {shard}, which does not hold it."
                    )
            );
        }

        return new WeightSource(index.Name, tensors);
    }

    private WeightsFile OpenFile(string name)
    {
        if (_failures.TryGetValue(name, out LoadRefusedException? failure))
        {
            throw new LoadRefusedException(failure.Code, failure.Message, failure);
        }

        if (!_files.TryGetValue(name, out WeightsFile? file))
        {
            try
            {
                file = WeightsFile.Open(Path.Join(folder.FullPath, name), name);
                _files.Add(name, file);
            }
            catch (LoadRefusedException exception)
            {
                _failures.Add(name, exception);
                throw;
            }
        }

        return file;
    }
}
