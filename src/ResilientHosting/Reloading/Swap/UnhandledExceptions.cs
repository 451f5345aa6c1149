using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.Loader;

namespace ResilientHosting.Reloading;

/// <summary>
/// Decides whose an exception is that nobody caught. It ends the generation it belongs to, if that has not ended yet, and never the
/// process; one that belongs to no generation ends the process, as it would without the reloader.
/// </summary>
[RequiresUnreferencedCode("Looks at the methods of a stack trace.")]
internal sealed class UnhandledExceptions(SwapSeams seams, Generation initial, string initialAssembly, ReloadConsole console)
{
    private const int MaxRemembered = 1_000;

    private readonly ConcurrentDictionary<string, byte> _shown = new();

    public void Subscribe()
    {
        // The handler below is not asked about exceptions of the thread that runs the process's own Main.
        AppDomain.CurrentDomain.UnhandledException += (_, unhandled) =>
        {
            if (InitialGeneration.IsMainThread && unhandled.ExceptionObject is Exception exception && TryHandle(exception))
            {
                // The process ends when this event returns.
                Thread.CurrentThread.Join();
            }
        };

        try
        {
            ExceptionHandling.SetUnhandledExceptionHandler(TryHandle);
        }
        catch (InvalidOperationException)
        {
            console.Say("the application handles unhandled exceptions itself; one of a retired generation's threads may end the process");
        }
    }

    private bool TryHandle(Exception exception)
    {
        if (OwnerOf(exception) is not { } owner)
        {
            return false;
        }

        if (owner.StopRequested || !owner.TryCrash(exception))
        {
            ShowLate(owner, exception);
        }

        return true;
    }

    private Generation? OwnerOf(Exception exception)
    {
        if (Generation.Current is { } current)
        {
            return current;
        }

        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            foreach (var frame in new StackTrace(inner).GetFrames())
            {
                if (frame.GetMethod()?.Module.Assembly is { } assembly && OwnerOf(assembly) is { } owner)
                {
                    return owner;
                }
            }
        }

        // As long as there is no other generation, what is in the process belongs to the first.
        return initial.StopRequested ? null : initial;
    }

    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "The reloader is off in a single-file application.")]
    private Generation? OwnerOf(Assembly assembly) =>
        AssemblyLoadContext.GetLoadContext(assembly) is { } context && seams.Generations.TryGetValue(context, out var owner) ? owner
        : !assembly.IsDynamic && assembly.Location == initialAssembly ? initial
        : null;

    /// <summary>One line, and the same line only once: a timer that nobody disposed of would fill the screen.</summary>
    private void ShowLate(Generation generation, Exception exception)
    {
        var where = exception.StackTrace?.Split('\n')[0].Trim();
        var line = $"generation {generation.Number} is retired; its late exception is ignored: "
            + $"{exception.GetType()}: {exception.Message.ReplaceLineEndings(" ")} {where}";
        if (_shown.Count < MaxRemembered && _shown.TryAdd(line, 0))
        {
            console.Say(line);
        }
    }
}
