using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Seq2Seq.Api.Tests;

/// <summary>Arrows only point down: Api → Jobs → Inference. Read from the built assemblies, so that nothing slips through.</summary>
public sealed class ArchitectureTests
{
    private const string Api = "seq2seq";
    private const string Jobs = "Seq2Seq.Jobs";
    private const string Inference = "Seq2Seq.Inference";

    [Fact]
    public void Inference_knows_nothing_of_jobs_databases_or_http() =>
        ReferencesOf(Inference)
            .Should()
            .NotContain(name =>
                name == Api
                || name == Jobs
                || name.StartsWith("Npgsql", StringComparison.Ordinal)
                || name.StartsWith("Hangfire", StringComparison.Ordinal)
                || name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)
                || name == "System.Net.Http"
            );

    [Fact]
    public void Jobs_knows_nothing_of_the_api_or_of_tensors_and_serves_no_http()
    {
        ReferencesOf(Jobs).Should().NotContain([Api, "TorchSharp"]);
        TypesUsedBy(Jobs)
            .Should()
            .NotContain(type =>
                type.StartsWith("Microsoft.AspNetCore.Http", StringComparison.Ordinal)
                || type.StartsWith("Microsoft.AspNetCore.Mvc", StringComparison.Ordinal)
                || type.StartsWith("Microsoft.AspNetCore.Routing", StringComparison.Ordinal)
            );
    }

    [Fact]
    public void Api_knows_nothing_of_tensors_and_sends_no_sql()
    {
        ReferencesOf(Api).Should().NotContain("TorchSharp");
        TypesUsedBy(Api)
            .Where(type => type.StartsWith("Npgsql.", StringComparison.Ordinal))
            .Should()
            .BeSubsetOf([
                "Npgsql.NpgsqlConnection",
                "Npgsql.NpgsqlConnectionStringBuilder",
                "Npgsql.NpgsqlDataSource",
                "Npgsql.NpgsqlException",
                "Npgsql.NpgsqlLoggingConfiguration",
                "Npgsql.PostgresException",
            ]);
    }

    [Theory]
    [InlineData(Api, "Seq2Seq.Api")]
    [InlineData(Jobs, "Seq2Seq.Jobs")]
    [InlineData(Inference, "Seq2Seq.Inference")]
    public void Folders_are_features_not_kinds(string assembly, string root) =>
        NamespacesOf(assembly)
            .Where(name => name.StartsWith(root, StringComparison.Ordinal))
            .SelectMany(name => name.Split('.'))
            .Should()
            .NotContain(["Helpers", "Utils", "Utilities", "Common", "Services", "Interfaces", "Managers"]);

    private static List<string> ReferencesOf(string assembly) =>
        Read(
            assembly,
            reader =>
                reader
                    .AssemblyReferences.Select(handle => reader.GetString(reader.GetAssemblyReference(handle).Name))
                    .ToList()
        );

    private static List<string> TypesUsedBy(string assembly) =>
        Read(
            assembly,
            reader =>
                reader
                    .TypeReferences.Select(reader.GetTypeReference)
                    .Select(type => $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}")
                    .ToList()
        );

    private static List<string> NamespacesOf(string assembly) =>
        Read(
            assembly,
            reader =>
                reader
                    .TypeDefinitions.Select(handle => reader.GetString(reader.GetTypeDefinition(handle).Namespace))
                    .Distinct(StringComparer.Ordinal)
                    .ToList()
        );

    private static T Read<T>(string assembly, Func<MetadataReader, T> read)
    {
        using FileStream file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));
        using var portable = new PEReader(file);
        return read(portable.GetMetadataReader());
    }
}
