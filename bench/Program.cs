using Seq2Seq.Bench;

return await BenchCommandLine.Build().Parse(args).InvokeAsync();
