using BenchmarkDotNet.Running;
using ResilientHosting.Benchmarks;

//   dotnet run -c Release --project benchmarks/ResilientHosting.Benchmarks -- overhead|pools|sweep|requests [--quick] [--record]
//   dotnet run -c Release --project benchmarks/ResilientHosting.Benchmarks -- --filter '*Pool*'    any arguments of BenchmarkDotNet
if (args is ["requests", ..])
{
    await RequestComparison.RunAsync(args);
    return 0;
}

if (Suite.All.FirstOrDefault(suite => args is [var name, ..] && name == suite.Name) is { } suite)
{
    return suite.Run(args);
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
