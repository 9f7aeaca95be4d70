namespace Seq2Seq.Inference.Families;

/// <summary>A family's forward pass on its weights, bound to one device.</summary>
internal interface INetwork : IDisposable;
