using System.Reflection;
using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading.Retire;

public sealed class CodeNamesTests
{
    private const string Here = nameof(CodeNamesTests);

    [Fact]
    public void Lambda_IsNamedAfterTheMethodItStandsIn()
    {
        var captured = 1;
        Func<int> closure = () => captured;
        Func<int> plain = static () => 1;

        Assert.Equal($"a lambda in {Here}.{nameof(Lambda_IsNamedAfterTheMethodItStandsIn)}", CodeNames.Of(closure.Method));
        Assert.Equal($"a lambda in {Here}.{nameof(Lambda_IsNamedAfterTheMethodItStandsIn)}", CodeNames.Of(plain.Method));
        Assert.Equal(Here, CodeNames.Of(closure.Target!.GetType()));
    }

    [Fact]
    public void LocalFunction_IsNamedWithTheMethodItStandsIn()
    {
        Action local = Local;

        Assert.Equal($"Local in {Here}.{nameof(LocalFunction_IsNamedWithTheMethodItStandsIn)}", CodeNames.Of(local.Method));

        static void Local()
        {
        }
    }

    [Fact]
    public async Task AsyncMethod_IsNamedByItsStateMachine()
    {
        await Task.Yield();
        var machine = typeof(CodeNamesTests).GetNestedTypes(BindingFlags.NonPublic)
            .Single(type => type.Name.StartsWith($"<{nameof(AsyncMethod_IsNamedByItsStateMachine)}>", StringComparison.Ordinal));

        Assert.Equal($"{Here}.{nameof(AsyncMethod_IsNamedByItsStateMachine)}", CodeNames.Of(machine));
        Assert.Equal($"{Here}.{nameof(AsyncMethod_IsNamedByItsStateMachine)}", CodeNames.Of(machine.GetMethod("MoveNext", BindingFlags.Instance | BindingFlags.NonPublic)!));
        Assert.Equal($"{Here}.{nameof(AsyncMethod_IsNamedByItsStateMachine)}", CodeNames.Of(typeof(Task<>).MakeGenericType(machine)));
    }

    [Theory]
    [InlineData(typeof(Dictionary<string, int[]>), "Dictionary<String, Int32[]>")]
    [InlineData(typeof(Nested), $"{Here}.{nameof(Nested)}")]
    [InlineData(typeof(CodeNamesTests), Here)]
    public void Type_IsNamedAsInSource(Type type, string name) => Assert.Equal(name, CodeNames.Of(type));

    private sealed class Nested;
}
