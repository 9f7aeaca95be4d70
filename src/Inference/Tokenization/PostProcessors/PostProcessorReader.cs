using System.Text.Json;

namespace Seq2Seq.Inference.Tokenization.PostProcessors;

/// <summary>Builds the <c>post_processor</c> of a tokenizer.json.</summary>
internal static class PostProcessorReader
{
    public static IPostProcessor? Read(JsonElement json)
    {
        if (json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
            return null;
        var type = json.GetProperty("type").GetString();
        return type switch
        {
            "Sequence" => new PostProcessorSequence([
                .. json.GetProperty("processors").EnumerateArray().Select(part => Read(part)!),
            ]),
            "TemplateProcessing" => ReadTemplate(json),
            "BertProcessing" => new ClassifierPostProcessor(Id(json, "cls"), Id(json, "sep"), doubleSeparator: false),
            "RobertaProcessing" => new ClassifierPostProcessor(Id(json, "cls"), Id(json, "sep"), doubleSeparator: true),
            // It trims offsets, which are not kept here.
            "ByteLevel" => new PostProcessorSequence([]),
            _ => throw new InvalidDataException($"The post_processor {type} is not known."),
        };
    }

    private static int Id(JsonElement json, string name) => json.GetProperty(name)[1].GetInt32();

    private static TemplatePostProcessor ReadTemplate(JsonElement json)
    {
        var special = json.TryGetProperty("special_tokens", out var tokens) ? tokens : default;
        return new TemplatePostProcessor(
            ReadParts(json.GetProperty("single"), special),
            ReadParts(json.GetProperty("pair"), special)
        );
    }

    private static List<TemplatePart> ReadParts(JsonElement parts, JsonElement special)
    {
        var result = new List<TemplatePart>();
        foreach (var part in parts.EnumerateArray())
        {
            if (part.TryGetProperty("Sequence", out var sequence))
            {
                result.Add(sequence.GetProperty("id").GetString() == "A" ? TemplatePart.A : TemplatePart.B);
                continue;
            }
            var name = part.GetProperty("SpecialToken").GetProperty("id").GetString()!;
            if (special.ValueKind != JsonValueKind.Object || !special.TryGetProperty(name, out var token))
                throw new InvalidDataException($"The template names {name}, which is not among its special_tokens.");
            result.Add(
                TemplatePart.Special([.. token.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())])
            );
        }
        return result;
    }
}
