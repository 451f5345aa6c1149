using ResilientHosting.Reloading;

namespace ResilientHosting.Tests.Reloading.Retire;

[Collection(nameof(HeapInspection))]
public sealed class ClassInitializationTests
{
    private static readonly List<string> Ran = [];

    [Fact]
    public void StaticFields_OfAClassThatNobodyUsed_AreNotRead()
    {
        Assert.True(ClassInitialization.IsKnown);
        Assert.False(ClassInitialization.HasRun(typeof(Untouched)));

        Assert.Empty(StaticFields.Of(typeof(Untouched), new ObjectFields()));

        Assert.Empty(Ran);
    }

    [Fact]
    public void StaticFields_OfAClassInUse_AreRead()
    {
        Touched.Value = [1];

        var (field, value) = Assert.Single(StaticFields.Of(typeof(Touched), new ObjectFields()));

        Assert.Equal(nameof(Touched.Value), field.Name);
        Assert.Same(Touched.Value, value);
    }

    [Fact]
    public void ThisProcess_HasStaticFieldsThatCanAllBeRead()
    {
        var fields = new ObjectFields();

        Assert.All(AppDomain.CurrentDomain.GetAssemblies().Where(assembly => !assembly.IsDynamic), assembly => Assert.NotNull(StaticFields.In(assembly, fields).ToArray()));
    }

    private static class Untouched
    {
        internal static readonly object Value;

        static Untouched()
        {
            Ran.Add(nameof(Untouched));
            Value = new object();
        }
    }

    private static class Touched
    {
#pragma warning disable CA2211, CS0649
        public static object[]? Value;
        public static int Plain;
        public static string? Text;

        [ThreadStatic]
        public static object? OfAThread;
#pragma warning restore CA2211, CS0649
    }
}
