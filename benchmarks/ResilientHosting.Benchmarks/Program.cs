using BenchmarkDotNet.Running;
using ResilientHosting.Benchmarks;

//   dotnet run -c Release --project benchmarks/ResilientHosting.Benchmarks -- --filter '*Pool*'    any arguments of BenchmarkDotNet
//   dotnet run -c Release --project benchmarks/ResilientHosting.Benchmarks -- requests [rounds]    whole requests over a real Kestrel
if (args is ["requests", .. var rest])
{
    var rounds = rest is [var number] && int.TryParse(number, out var parsed) && parsed > 0 ? parsed : RequestComparison.DefaultRounds;
    await RequestComparison.RunAsync(rounds);
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
