using System.Text.Json;

namespace Seq2Seq.Bench.Comparing;

/// <summary>The best settings that a search has found, by benchmark and contestant: the search is done once on a machine.</summary>
internal sealed class SettingsStore(string file)
{
    private static readonly JsonSerializerOptions _json = new() { WriteIndented = true };

    private readonly Dictionary<string, EngineSettings> _settings = File.Exists(file)
        ? JsonSerializer.Deserialize<Dictionary<string, EngineSettings>>(File.ReadAllText(file)) ?? []
        : [];

    public EngineSettings? Find(string key) => _settings.GetValueOrDefault(key);

    public void Keep(string key, EngineSettings settings)
    {
        _settings[key] = settings;
        File.WriteAllText(file, JsonSerializer.Serialize(_settings, _json));
    }
}
