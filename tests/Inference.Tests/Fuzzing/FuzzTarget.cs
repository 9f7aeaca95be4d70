namespace Seq2Seq.Inference.Tests.Fuzzing;

/// <summary>Something that reads what strangers wrote, with a way to make inputs for it.</summary>
internal abstract class FuzzTarget(string name) : IDisposable
{
    /// <summary>Its kind and what it reads: <c>encode/t5-sentencepiece</c>. The folder of its corpus in Data/fuzz.</summary>
    public string Name { get; } = name;

    /// <summary>Most bytes that one input may make it allocate.</summary>
    public virtual long MaxAllocatedBytes => 256 << 20;

    /// <summary>An input nobody wrote.</summary>
    public abstract byte[] Next(Random random);

    /// <summary>Reads an input to the end, or refuses it by an exception that is documented for that; every other is a find.</summary>
    public abstract Task RunAsync(byte[] input);

    public virtual void Dispose() { }
}
