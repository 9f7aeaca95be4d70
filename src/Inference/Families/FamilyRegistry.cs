using Seq2Seq.Inference.Families.T5;

namespace Seq2Seq.Inference.Families;

/// <summary>The families by model_type. A new family is one line here.</summary>
internal sealed class FamilyRegistry(IReadOnlyList<IFamily> families)
{
    /// <summary>Every family of this assembly.</summary>
    public static FamilyRegistry Default { get; } = new([new T5Family()]);

    public IEnumerable<string> ModelTypes => families.SelectMany(family => family.ModelTypes);

    public IFamily? Find(string modelType) =>
        families.FirstOrDefault(family => family.ModelTypes.Contains(modelType, StringComparer.Ordinal));
}
