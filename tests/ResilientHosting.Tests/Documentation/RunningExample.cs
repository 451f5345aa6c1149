using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Tests.Documentation;

/// <summary>
/// An example that is a whole program, at work in this process. Its host is found as a WebApplicationFactory finds one: by the event
/// that tells of its being built.
/// </summary>
internal sealed class RunningExample : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource<IHost> _built = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AsyncLocal<bool> _isMine = new();
    private readonly ConcurrentBag<IDisposable> _subscriptions = [];
    private readonly Task _end;

    private RunningExample(MethodInfo main, string[] arguments)
    {
        _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));
        _end = Task.Factory.StartNew(
            () => Run(main, arguments), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public Uri Address { get; private set; } = null!;

    public static async Task<RunningExample> StartAsync(MarkdownBlock program)
    {
        using var image = new MemoryStream();
        Assert.True(ExampleCompiler.Compile(program).Emit(image).Success);
        var example = new RunningExample(
            Assembly.Load(image.ToArray()).EntryPoint!, ["--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default", "None"]);
        // Who ends before, fails here.
        await await Task.WhenAny(example._built.Task, example._end).WaitAsync(Patience);
        var host = await example._built.Task.WaitAsync(Patience);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(started.SetResult))
        {
            await started.Task.WaitAsync(Patience);
        }

        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        example.Address = new Uri(Assert.Single(addresses));
        return example;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var subscription in _subscriptions)
        {
            subscription.Dispose();
        }

        (await _built.Task).Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await _end.WaitAsync(Patience);
    }

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == "Microsoft.Extensions.Hosting")
        {
            _subscriptions.Add(value.Subscribe(this));
        }
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        // Other tests build hosts at the same time.
        if (value.Key == "HostBuilt" && _isMine.Value)
        {
            _built.TrySetResult((IHost)value.Value!);
        }
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    private void Run(MethodInfo main, string[] arguments)
    {
        _isMine.Value = true;
        main.Invoke(null, BindingFlags.DoNotWrapExceptions, binder: null, [arguments], culture: null);
    }
}
