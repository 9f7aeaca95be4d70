using System.Globalization;
using System.Text.Json;
using Seq2Seq.Api.Problems;
using Seq2Seq.Api.Requests;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Jobs.Webhooks;

namespace Seq2Seq.Api.Jobs;

/// <summary>
/// Reads what callers say of a job: the members of a JSON body, or form fields and query parameters of the same names. Limits
/// that need no database are checked here; the rest is <see cref="JobSubmitter"/>'s.
/// </summary>
internal static class SubmissionReader
{
    public const string IdempotencyKeyHeader = "Idempotency-Key";

    private const int LongestName = 200;
    private const int LongestModel = 200;
    private const int LongestKey = 255;

    /// <summary>The priority of a job that names none.</summary>
    public const int UsualPriority = 5;

    private const int LeastRetentionSeconds = 60;
    private static readonly int MostRetentionSeconds = (int)JobsOptions.MaxRetention.TotalSeconds;

    /// <summary>Takes what describes a job; the caller takes its own members before <see cref="RequestObject.RefuseOthers"/>.</summary>
    public static JobRequest Read(RequestObject body, int usualPriority, string? idempotencyKey)
    {
        string model = body.TakeString("model") ?? throw RequestException.Missing("model", "the name of a model");
        string? name = body.TakeString("name");
        int? priority = body.TakeInteger("priority", JobRequest.FirstPriority, JobRequest.LastPriority);
        JsonElement? parameters = body.TakeJson("parameters", JsonValueKind.Object, "an object");
        int? retention = body.TakeInteger("retention_seconds", LeastRetentionSeconds, MostRetentionSeconds);
        return new JobRequest
        {
            Model = RequestText.Plain(model, "model", LongestModel),
            Name = name is null ? null : RequestText.Plain(name, "name", LongestName),
            Priority = priority ?? usualPriority,
            Parameters = parameters is { } json ? GenerationParametersJson.Read(json) : new GenerationParameters(),
            Retention = retention is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            StartAt = TakeTime(body, "start_at"),
            Deadline = TakeTime(body, "deadline"),
            Webhook = TakeWebhook(body),
            IdempotencyKey = idempotencyKey,
        };
    }

    private static WebhookTarget? TakeWebhook(RequestObject body)
    {
        const string Expected = "an object with url and, if you like, secret";
        if (body.TakeJson("webhook", JsonValueKind.Object, Expected) is not { } json)
        {
            return null;
        }

        RequestObject webhook = RequestObject.Of(json, body.PathOf("webhook"), Expected);
        string url =
            webhook.TakeString("url") ?? throw RequestException.Missing(webhook.PathOf("url"), "an https address");
        string? secret = webhook.TakeString("secret");
        webhook.RefuseOthers();
        return new WebhookTarget(url, secret);
    }

    private static DateTimeOffset? TakeTime(RequestObject body, string name)
    {
        if (body.TakeString(name) is not { } text)
        {
            return null;
        }

        // Without its offset, a time would depend on where the service runs.
        bool hasOffset = text.EndsWith('Z') || (text.Length > 6 && text[^6] is '+' or '-');
        return
            hasOffset
            && DateTimeOffset.TryParseExact(
                text,
                ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"],
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out DateTimeOffset time
            )
            ? time
            : throw RequestException.Invalid(name, text, "a time with its offset, such as 2026-01-31T18:00:00Z");
    }

    /// <summary>The idempotency key of a request, bare or as a quoted string; null when there is none.</summary>
    public static string? ReadIdempotencyKey(HttpRequest request)
    {
        if (request.Headers[IdempotencyKeyHeader] is not { Count: > 0 } values)
        {
            return null;
        }

        string key = values.ToString();
        key = key is ['"', .., '"'] ? key[1..^1] : key;
        return key.Length is > 0 and <= LongestKey && key.All(letter => letter is > ' ' and <= '~')
            ? key
            : throw RequestException.Invalid(
                IdempotencyKeyHeader,
                key.Length == 0 ? "empty" : key,
                "1 to 255 visible ASCII characters"
            );
    }

    /// <summary>The lines of a JSON body: strings, or objects with <c>custom_id</c> and <c>text</c> or <c>input_ids</c>, and maybe a target or a prefix.</summary>
    public static IReadOnlyList<SourceLine> ReadInputs(RequestObject body, int most)
    {
        const string Expected = "an array of texts or of objects with text or input_ids";
        JsonElement inputs =
            body.TakeJson("inputs", JsonValueKind.Array, Expected)
            ?? throw RequestException.Missing("inputs", Expected);
        int count = inputs.GetArrayLength();
        if (count == 0 || count > most)
        {
            throw RequestException.Invalid("inputs", $"{count} inputs", $"1 to {most} inputs");
        }

        var lines = new List<SourceLine>(count);
        foreach (JsonElement input in inputs.EnumerateArray())
        {
            lines.Add(ReadInput(input, $"inputs[{lines.Count}]"));
        }

        return lines;
    }

    private static SourceLine ReadInput(JsonElement input, string path)
    {
        if (input.ValueKind == JsonValueKind.String)
        {
            return new SourceLine { Text = RequestObject.ReadString(input, path, "a text") };
        }

        RequestObject line = RequestObject.Of(input, path, "a text or an object");
        string? customId = line.TakeString("custom_id");
        string? text = line.TakeString("text");
        JsonElement? ids = line.TakeJson("input_ids", JsonValueKind.Array, "an array of token ids");
        string? target = line.TakeString("target");
        JsonElement? targetIds = line.TakeJson("target_ids", JsonValueKind.Array, "an array of token ids");
        string? prefix = line.TakeString("target_prefix");
        JsonElement? prefixIds = line.TakeJson("decoder_input_ids", JsonValueKind.Array, "an array of token ids");
        line.RefuseOthers();
        if (text is null == ids is null)
        {
            throw RequestException.Invalid(
                path,
                text is null ? "an object with neither" : "an object with both",
                "an object with either text or input_ids"
            );
        }

        if (target is not null && targetIds is not null)
        {
            throw RequestException.Invalid(
                path,
                "an object with both target and target_ids",
                "an object with one of them, or neither"
            );
        }

        if (prefix is not null && prefixIds is not null)
        {
            throw RequestException.Invalid(
                path,
                "an object with both target_prefix and decoder_input_ids",
                "an object with one of them, or neither"
            );
        }

        if ((target is not null || targetIds is not null) && (prefix is not null || prefixIds is not null))
        {
            throw RequestException.Invalid(
                path,
                "an object with both a target, which is scored, and a prefix, which begins what is generated",
                "an object with one of them, or neither"
            );
        }

        return new SourceLine
        {
            CustomId = customId,
            Text = text,
            InputIds = ids is { } array ? ReadInputIds(array, line.PathOf("input_ids")) : null,
            Target = target,
            TargetIds = targetIds is { } targets ? ReadInputIds(targets, line.PathOf("target_ids")) : null,
            TargetPrefix = prefix,
            DecoderInputIds = prefixIds is { } begin ? ReadInputIds(begin, line.PathOf("decoder_input_ids")) : null,
        };
    }

    private static List<int> ReadInputIds(JsonElement array, string path)
    {
        var ids = new List<int>(array.GetArrayLength());
        foreach (JsonElement element in array.EnumerateArray())
        {
            ids.Add(
                element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int id)
                    ? id
                    : throw RequestException.Invalid(
                        $"{path}[{ids.Count}]",
                        RequestObject.Describe(element),
                        "a token id"
                    )
            );
        }

        return ids;
    }
}
