using Seq2Seq.Inference.Families.Bart;
using Seq2Seq.Inference.Families.BigBirdPegasus;
using Seq2Seq.Inference.Families.Blenderbot;
using Seq2Seq.Inference.Families.BlenderbotSmall;
using Seq2Seq.Inference.Families.EncoderDecoder;
using Seq2Seq.Inference.Families.Fsmt;
using Seq2Seq.Inference.Families.Led;
using Seq2Seq.Inference.Families.LongT5;
using Seq2Seq.Inference.Families.M2M100;
using Seq2Seq.Inference.Families.Marian;
using Seq2Seq.Inference.Families.Mbart;
using Seq2Seq.Inference.Families.NllbMoe;
using Seq2Seq.Inference.Families.Pegasus;
using Seq2Seq.Inference.Families.PegasusX;
using Seq2Seq.Inference.Families.ProphetNet;
using Seq2Seq.Inference.Families.SeamlessM4T;
using Seq2Seq.Inference.Families.SwitchTransformers;
using Seq2Seq.Inference.Families.T5;
using Seq2Seq.Inference.Families.T5Gemma;
using Seq2Seq.Inference.Families.T5Gemma2;

namespace Seq2Seq.Inference.Families;

/// <summary>The families by model_type. A new family is one line here.</summary>
internal sealed class FamilyRegistry(IReadOnlyList<IFamily> families)
{
    /// <summary>Every family of this assembly.</summary>
    public static FamilyRegistry Default { get; } =
        new([
            new T5Family(),
            new LongT5Family(),
            new SwitchFamily(),
            new BartFamily(),
            new BlenderbotFamily(),
            new BlenderbotSmallFamily(),
            new FsmtFamily(),
            new M2M100Family(),
            new MarianFamily(),
            new MbartFamily(),
            new NllbMoeFamily(),
            new PegasusFamily(),
            new ProphetNetFamily(),
            new PegasusXFamily(),
            new BigBirdPegasusFamily(),
            new LedFamily(),
            new SeamlessM4TFamily(),
            new EncoderDecoderFamily(),
            new T5GemmaFamily(),
            new T5Gemma2Family(),
        ]);

    public IEnumerable<string> ModelTypes => families.SelectMany(family => family.ModelTypes);

    public IFamily? Find(string modelType) =>
        families.FirstOrDefault(family => family.ModelTypes.Contains(modelType, StringComparer.Ordinal));
}
