using System.ComponentModel.DataAnnotations;

namespace Seq2Seq.Jobs.Configuration;

/// <summary>
/// Configuration section <c>Slots</c>: a list of this. Empty means <see cref="Scheduling.SlotPlan"/>'s default:
/// <c>cpu:0</c>, <c>cpu:1</c> … with a core each.
/// </summary>
public sealed class SlotOptions
{
    public const string SectionName = "Slots";

    /// <summary><c>cpu</c>, <c>cpu:N</c>, or <c>cuda:N</c>; also the slot's name, so unique.</summary>
    [Required]
    public string Device { get; set; } = "";

    /// <summary>Cores this slot may use; 0 means its share.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>Models this slot preloads; empty means every model whose <c>Device</c> allows it.</summary>
    public List<string> Models { get; } = [];
}
