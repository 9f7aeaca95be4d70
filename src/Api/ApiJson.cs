using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Seq2Seq.Api.Generate;
using Seq2Seq.Api.Health;
using Seq2Seq.Api.Jobs;
using Seq2Seq.Api.Models;
using Seq2Seq.Api.Problems;

namespace Seq2Seq.Api;

/// <summary>How this API writes JSON: snake_case, nulls kept so that shapes are stable, text of every script as it is.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(ProblemMeaning[]))]
[JsonSerializable(typeof(JobSubmission))]
[JsonSerializable(typeof(JobDetail))]
[JsonSerializable(typeof(JobChange))]
[JsonSerializable(typeof(JobPage))]
[JsonSerializable(typeof(ModelResource))]
[JsonSerializable(typeof(ModelDetail))]
[JsonSerializable(typeof(ShardPage))]
[JsonSerializable(typeof(WebhookList))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(DeviceList))]
[JsonSerializable(typeof(GenerateRequest))]
[JsonSerializable(typeof(GenerateResponse))]
[JsonSerializable(typeof(Liveness))]
[JsonSerializable(typeof(Readiness))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>For what this project serialises itself.</summary>
    public static ApiJson Web { get; } =
        new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = Readable });

    // Text of every script as it is; what HTML gives a meaning stays escaped.
    private static JavaScriptEncoder Readable => JavaScriptEncoder.Create(UnicodeRanges.All);

    /// <summary>The same for what the framework serialises on its own: results of handlers, events.</summary>
    public static void Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.Encoder = Readable;
        options.TypeInfoResolverChain.Insert(0, Default);
    }
}
