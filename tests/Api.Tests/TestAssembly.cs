using Seq2Seq.Testing;

[assembly: AssemblyFixture(typeof(PostgresServer))]
