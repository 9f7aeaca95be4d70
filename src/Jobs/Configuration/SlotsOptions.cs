namespace Seq2Seq.Jobs.Configuration;

/// <summary>Configuration section <c>Slots</c>: this machine's device slots.</summary>
public sealed class SlotsOptions : List<SlotOptions>;
