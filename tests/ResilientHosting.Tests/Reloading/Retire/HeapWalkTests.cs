using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Retire;

[Collection(nameof(HeapInspection))]
public sealed class HeapWalkTests : IDisposable
{
    private readonly AssemblyLoadContext _context = LoadedAssembly.Load();
    private readonly RetiredObjects _retired;
    private readonly ObjectFields _fields = new();
    private readonly object _leaky;

    public HeapWalkTests()
    {
        _retired = new RetiredObjects([new RetiredGeneration(7, _context)]);
        _leaky = Activator.CreateInstance(LoadedAssembly.Leaky(_context))!;
    }

    public void Dispose()
    {
        Roots.Clear();
        _context.Unload();
    }

    [Fact]
    public void StaticField_HoldsAList_IsNamedWithTheWayToTheObject()
    {
        Roots.Registry = new Registry { Entries = { [1] = new Entry(_leaky) } };

        var cause = Assert.Single(Find());

        Assert.Equal("static field HeapWalkTests.Roots.Registry.Entries[].Value -> Leaky", cause.What);
        Assert.Contains("ApplicationStopping", cause.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void Structure_InAnArray_IsLookedInto()
    {
        Roots.Anything = new (int, object)[] { (1, _leaky) };

        Assert.Equal("static field HeapWalkTests.Roots.Anything[] -> Leaky", Assert.Single(Find()).What);
    }

    [Fact]
    public void StaticEvent_WithAHandler_IsNamedAsAnEvent()
    {
        Roots.Raised += LoadedAssembly.Handler(_context);

        Assert.Equal("event HeapWalkTests.Roots.Raised: Leaky.Handle", Assert.Single(Find()).What);
    }

    [Fact]
    public void Timer_WithACallback_IsNamedAsATimer()
    {
        using var timer = new Timer(LoadedAssembly.Leaky(_context).GetMethod("Handle")!.CreateDelegate<EventHandler>().InvokeWith, null, 1_000_000, 1_000_000);

        var found = Find(StaticFields.In(typeof(Timer).Assembly, _fields));

        Assert.Contains(found, cause => cause.What.StartsWith("a timer that runs ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("type")]
    [InlineData("method")]
    [InlineData("assembly")]
    [InlineData("array type")]
    [InlineData("generic type")]
    public void DescriptionOfCode_IsRecognised(string what)
    {
        var type = LoadedAssembly.Leaky(_context);
        Roots.Anything = what switch
        {
            "type" => type,
            "method" => type.GetMethod("Handle"),
            "assembly" => type.Assembly,
            "array type" => type.MakeArrayType(),
            _ => Activator.CreateInstance(typeof(List<>).MakeGenericType(type)),
        };

        Assert.StartsWith("static field HeapWalkTests.Roots.Anything -> ", Assert.Single(Find()).What, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadContext_WithoutItsAssemblies_HoldsNothing()
    {
        Roots.Anything = _context;

        Assert.Empty(Find());
    }

    [Fact]
    public void WeakReference_IsNotFollowed()
    {
        Roots.Anything = new WeakReference<object>(_leaky);

        Assert.Empty(Find());
    }

    [Fact]
    public void WeakTable_HoldsItsValueOnlyIfItsKeyIsHeld()
    {
        var key = new object();
        var table = new ConditionalWeakTable<object, object> { { key, _leaky } };
        Roots.Anything = table;
        Assert.Empty(Find());

        Roots.Other = key;

        Assert.Equal("static field HeapWalkTests.Roots.Anything[] -> Leaky", Assert.Single(Find()).What);
        GC.KeepAlive(key);
    }

    [Fact]
    public void StaticFieldOfAGenericClass_IsFoundThroughAnInstance()
    {
        Generic<string>.Value = _leaky;
        Roots.Anything = new Generic<string>();

        Assert.StartsWith("static field HeapWalkTests.Generic<String>.Value", Assert.Single(Find()).What, StringComparison.Ordinal);
        Generic<string>.Value = null;
    }

    [Fact]
    public void ManyObjects_InOnePlace_AreOneCause()
    {
        Roots.Anything = Enumerable.Range(0, 1_000).Select(_ => Activator.CreateInstance(LoadedAssembly.Leaky(_context))).ToList();

        Assert.Single(Find());
    }

    [Fact]
    public void Cycle_Ends()
    {
        var cycle = new object[2];
        cycle[0] = cycle;
        cycle[1] = _leaky;
        Roots.Anything = cycle;

        Assert.Single(Find());
    }

    private LeakCause[] Find() => Find(StaticFields.Of(typeof(Roots), _fields));

    private LeakCause[] Find(IEnumerable<(FieldInfo, object)> roots) =>
        [.. new HeapWalk(_retired, _fields, new ManualTimeProvider()).Run(roots).Select(LeakCause.Of).Distinct()];

    private static class Roots
    {
#pragma warning disable CA2211 // Fields that leak are what this is about.
        public static Registry? Registry;
        public static object? Anything;
        public static object? Other;
#pragma warning restore CA2211

        public static event EventHandler? Raised;

        public static void Clear()
        {
            Raised?.Invoke(null, EventArgs.Empty);
            (Registry, Anything, Other, Raised) = (null, null, null, null);
        }
    }

    private sealed class Registry
    {
        public Dictionary<int, Entry> Entries { get; } = [];
    }

    private sealed record Entry(object Value);

    private sealed class Generic<T>
    {
#pragma warning disable CS0649, CA1000
        public static object? Value;
#pragma warning restore CS0649, CA1000

        public T? Unused { get; set; }
    }
}

file static class Handlers
{
    public static void InvokeWith(this EventHandler handler, object? state) => handler(state, EventArgs.Empty);
}
