using System.Text.Json;
using Npgsql;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Jobs.Storage;

/// <summary>Reads a <see cref="Job"/> from a row of <c>job</c>.</summary>
internal static class JobRow
{
    /// <summary>The columns in the order that <see cref="Read"/> expects.</summary>
    public const string Columns = """
        id, model, name, state, priority, parameters::text, lines, lines_done, lines_failed, bytes, shards, shards_done,
        created_at, started_at, finished_at, CASE WHEN state <> 'receiving' THEN expires_at END, error_code, error_message,
        run, webhook_url, api_key_id, start_at, deadline
        """;

    /// <summary>An expired job is gone for everybody, even before its rows are deleted.</summary>
    public const string NotExpired = "(expires_at IS NULL OR expires_at > now())";

    public static Job Read(NpgsqlDataReader reader) =>
        new()
        {
            Id = reader.GetGuid(0),
            Model = reader.GetString(1),
            Name = reader.IsDBNull(2) ? null : reader.GetString(2),
            State = Enum.Parse<JobState>(reader.GetString(3), ignoreCase: true),
            Priority = reader.GetInt16(4),
            Parameters = ReadParameters(reader.GetString(5)),
            Lines = reader.GetInt64(6),
            LinesDone = reader.GetInt64(7),
            LinesFailed = reader.GetInt64(8),
            Bytes = reader.GetInt64(9),
            Shards = reader.GetInt32(10),
            ShardsDone = reader.GetInt32(11),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>(12),
            StartedAt = ReadTime(reader, 13),
            FinishedAt = ReadTime(reader, 14),
            ExpiresAt = ReadTime(reader, 15),
            ErrorCode = reader.IsDBNull(16) ? null : reader.GetString(16),
            ErrorMessage = reader.IsDBNull(17) ? null : reader.GetString(17),
            Run = reader.GetInt32(18),
            WebhookUrl = reader.IsDBNull(19) ? null : reader.GetString(19),
            ApiKeyId = reader.IsDBNull(20) ? null : reader.GetGuid(20),
            StartAt = ReadTime(reader, 21),
            Deadline = ReadTime(reader, 22),
        };

    public static DateTimeOffset? ReadTime(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);

    // Names that a later version stored are passed over: jobs are listed during a rolling deploy, too.
    private static GenerationParameters ReadParameters(string json) =>
        JsonSerializer.Deserialize<GenerationParameters>(json)!;
}
