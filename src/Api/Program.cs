using Seq2Seq.Api.CommandLine;

return await Seq2SeqCommandLine.RunAsync(args);
