using Seq2Seq.Inference.Devices;

await Console.Out.WriteLineAsync(ComputeDevice.Cpu.ToString());
